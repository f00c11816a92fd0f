// Slow clients are looked for, topics are counted, and acknowledgements are told.

import { expect, test } from "@playwright/test";
import mqtt from "mqtt";
import { expectAccessible, open, picture, told } from "./page";

async function connect(clientId: string) {
  return mqtt.connectAsync(told("PLEXUS_MQTT"), {
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
}

test("a client that acknowledges late is found, forgotten, and looked for no more", async ({
  page,
}) => {
  await open(page, "/slow");
  await expect(page.getByText("Slow clients are not looked for")).toBeVisible();
  await expectAccessible(page, "Slow clients, off");
  await page.getByRole("button", { name: "Look for slow clients" }).click();
  const form = page.getByRole("dialog", { name: "Look for slow clients" });
  await expect(form.getByLabel("Slow is")).toHaveValue("500ms");
  await form.getByLabel("Slow is").fill("a while");
  await form.getByRole("button", { name: "Look for them" }).click();
  await expect(form.getByText("A number with ms, s, m or h, such as 500ms").first()).toBeVisible();
  await form.getByLabel("Slow is").fill("20ms");
  await form.getByLabel("How many are remembered").fill("1000");
  await picture(page, "slow-settings");
  await expectAccessible(page, "Slow clients, settings");
  await form.getByRole("button", { name: "Look for them" }).click();
  await expect(page.getByText("Looked for: 20ms and more, until acknowledged")).toBeVisible();

  const client = await connect("late-reader");
  const held = new Promise<() => void>((resolve) => {
    client.handleMessage = (_, acknowledge) => resolve(() => acknowledge());
  });
  await client.subscribeAsync("measured/late", { qos: 1 });
  const begun = performance.now();
  client.publish("measured/late", "when you can", { qos: 1 });
  const acknowledge = await held;
  await expect.poll(() => performance.now() - begun).toBeGreaterThan(60);
  acknowledge();
  const row = page.getByRole("row", { name: /late-reader/ });
  await expect(row.getByText("measured/late")).toBeVisible();
  await expect(row.getByText(/^[\d,]+ ms$/)).toBeVisible();
  await picture(page, "slow");
  await expectAccessible(page, "Slow clients");
  await client.endAsync(true);

  await page.getByRole("button", { name: "Forget" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Forget" }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText("Slow clients are not looked for")).toBeVisible();
});

test("a topic is counted, begins anew, and is counted no more", async ({ page }) => {
  const topic = "measured/count";
  const client = await connect("counts");
  await client.publishAsync(topic, "kept", { retain: true });
  await open(page, `/topics?topic=${encodeURIComponent(topic)}`);
  await page.getByRole("button", { name: "Count", exact: true }).click();
  await expect(page.getByRole("link", { name: "counted: 0 in, 0 out" })).toBeVisible();
  await client.publishAsync(topic, "one", { qos: 1 });
  await client.publishAsync(topic, "two", { qos: 1 });
  await expect(page.getByRole("link", { name: "counted: 2 in, 0 out" })).toBeVisible();
  await picture(page, "topics-counted");
  await expectAccessible(page, "A counted topic");

  await page.getByRole("link", { name: "counted: 2 in, 0 out" }).click();
  const row = page.getByRole("row", { name: new RegExp(topic) });
  await expect(row.getByText("2", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Count a topic" }).click();
  const form = page.getByRole("dialog", { name: "Count a topic" });
  await form.getByLabel("Topic", { exact: true }).fill("measured/#");
  await form.getByRole("button", { name: "Count", exact: true }).click();
  await expect(form.getByText(/A topic has no wildcard/)).toBeVisible();
  await form.getByLabel("Topic", { exact: true }).fill("measured/other");
  await form.getByRole("button", { name: "Count", exact: true }).click();
  await expect(page.getByRole("row", { name: /measured\/other/ })).toBeVisible();
  await picture(page, "counted");
  await expectAccessible(page, "Counted topics");

  await page.getByRole("button", { name: `Count ${topic} anew` }).click();
  await expect(row.getByText("2", { exact: true })).toHaveCount(0);
  for (const one of [topic, "measured/other"]) {
    await page.getByRole("button", { name: `Count ${one} no more` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Count no more" }).click();
  }
  await expect(page.getByText("No topic is counted")).toBeVisible();
  await client.publishAsync(topic, "", { retain: true });
  await client.endAsync();
});

test("the live log tells deliveries and their acknowledgements", async ({ page }) => {
  await open(page, "/live?topic=measured%2Facknowledged&deliveries=true");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const client = await connect("acknowledges");
  await client.subscribeAsync("measured/acknowledged", { qos: 1 });
  await client.publishAsync("measured/acknowledged", "one", { qos: 1 });
  for (const event of ["published", "delivered", "acknowledged"])
    await expect(page.getByRole("cell", { name: event, exact: true })).toBeVisible();
  await picture(page, "live-acknowledged");
  await client.endAsync();
});
