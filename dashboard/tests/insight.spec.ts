// What an operator looks into: what waits, what is kept, what goes on, and why.

import { expect, test } from "@playwright/test";
import mqtt from "mqtt";
import { another, open, picture, told, version } from "./page";

async function client(clientId: string) {
  return mqtt.connectAsync(told("PLEXUS_MQTT"), {
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
}

test("what waits for a client is seen", async ({ page }) => {
  await open(page, "/clients/detail?id=historian");
  const waiting = page.getByRole("region", { name: "Messages" });
  // Of messages that are only on disk the node knows size and age, not the topic.
  await expect(waiting.getByRole("row", { name: /ago/ }).first()).toBeVisible();
  await expect(page.getByText("plant/line1/+/state")).toBeVisible();
});

test("a client is subscribed for, and hears of it", async ({ page }) => {
  const subscriber = await client("subscribed-for");
  const came = new Promise<string>((resolve) =>
    subscriber.once("message", (topic) => resolve(topic)),
  );
  await open(page, "/clients/detail?id=subscribed-for");
  const form = page.getByRole("form", { name: "Subscribe for the client" });
  await form.getByLabel("Topic filter").fill("given/#");
  await form.getByRole("button", { name: "Subscribe" }).click();
  await expect(page.getByRole("button", { name: "Take given/# back" })).toBeVisible();
  await subscriber.publishAsync("given/1", "x", { qos: 1 });
  expect(await came).toBe("given/1");
  await page.getByRole("button", { name: "Take given/# back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
  await expect(page.getByText("It is subscribed to nothing")).toBeVisible();
  await subscriber.endAsync(true);
});

test("a client is banned, stays away, and is let in again", async ({ page }) => {
  const intruder = await client("intruder");
  const gone = new Promise((resolve) => intruder.once("close", () => resolve(true)));
  await open(page, "/clients/detail?id=intruder");
  await page.getByRole("button", { name: "Ban", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Who")).toHaveValue("intruder");
  await dialog.getByLabel("Reason").fill("knocks too often");
  await dialog.getByRole("button", { name: "Ban" }).click();
  expect(await gone).toBe(true);
  await expect(client("intruder")).rejects.toThrow();
  await page.goto(`${told("PLEXUS_PAGE")}/bans`);
  const row = page.getByRole("row", { name: /intruder/ });
  await expect(row.getByText("knocks too often")).toBeVisible();
  await row.getByRole("button", { name: /back$/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take back" }).click();
  await expect(page.getByText("Nobody is banned")).toBeVisible();
  await (await client("intruder")).endAsync();
});

test("a retained message is read and ended", async ({ page }) => {
  const keeper = await client("keeper");
  await keeper.publishAsync("kept/here", '{"since": 1999}', { retain: true, qos: 1 });
  await open(page, "/retained?topic=kept/%23");
  await page.getByRole("button", { name: "kept/here" }).click();
  await expect(page.locator("pre")).toContainText('"since": 1999');
  await page.getByRole("button", { name: "End message" }).click();
  await page
    .getByRole("dialog", { name: "End this retained message?" })
    .getByRole("button", { name: "End message" })
    .click();
  await expect(page.getByText("No retained message has such a topic")).toBeVisible();
  await keeper.endAsync();
});

test("who would get a message is explained", async ({ page }) => {
  await open(page, "/explain");
  await page.getByLabel("Topic").fill("plant/line1/robot4/state");
  await page.getByText("QoS 1", { exact: true }).click();
  await page.getByRole("button", { name: "Explain" }).click();
  const row = page.getByRole("row", { name: /historian/ });
  await expect(row.getByText(/its queue/)).toBeVisible();
  await expect(page.getByText("Allowed", { exact: true })).toBeVisible();
  await page.getByRole("tab", { name: "A client" }).click();
  await page.getByLabel("Client identifier").fill("nobody-at-all");
  await page.getByRole("button", { name: "Explain" }).click();
  await expect(page.getByText(/nothing is remembered of it/)).toBeVisible();
});

test("what goes on is seen as it happens", async ({ page }) => {
  await open(page, "/live?client=live-writer");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const writer = await client("live-writer");
  await writer.publishAsync("live/here", "seen", { qos: 1 });
  await page.getByRole("button", { name: "live/here" }).click();
  await expect(page.locator("pre")).toHaveText("seen");
  await page.keyboard.press("Escape");
  await page.getByText("Clients", { exact: true }).last().click();
  await writer.endAsync();
  await expect(
    page.getByRole("table", { name: "Live log" }).getByText("disconnect").first(),
  ).toBeVisible();
});

test("what was changed stands in the audit log", async ({ page }) => {
  await open(page, "/audit?kind=admin");
  await expect(
    page.getByRole("table", { name: "Audit log" }).getByText("admin").first(),
  ).toBeVisible();
});

test("a trace writes down what a client does", async ({ page }) => {
  const traced = await client("traced");
  await open(page, "/traces");
  await page.getByRole("button", { name: "New trace" }).click();
  await page.getByLabel("Name").fill("of-tests");
  await page.getByLabel("What is followed").fill("traced");
  await page.getByRole("button", { name: "Begin" }).click();
  const row = page.getByRole("row", { name: /of-tests/ });
  await expect(row.getByText("Records")).toBeVisible();
  await traced.publishAsync("traced/here", "x", { qos: 1 });
  await row.getByRole("button", { name: "of-tests", exact: true }).click();
  await expect(page.locator("pre")).toContainText("traced/here");
  await page.keyboard.press("Escape");
  await row.getByRole("button", { name: "Delete of-tests" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete trace" }).click();
  await expect(page.getByText("Nothing is traced")).toBeVisible();
  await traced.endAsync();
});

test("how far limits are used is seen, of a tenant too", async ({ page }) => {
  await open(page, "/limits");
  const meter = page.getByRole("meter", { name: "Connections of acme" });
  await expect(meter).toHaveAttribute("aria-valuetext", "3 of 100");
  const acme = page.getByRole("region", { name: "acme" });
  await expect(acme.getByText("publishes 500/s at most")).toBeVisible();
  await page.getByRole("link", { name: "Retained messages" }).click();
  await expect(page.getByRole("button", { name: "Change retained.max_messages" })).toBeVisible();
});

test("a limit that is met is told", async ({ page }) => {
  const patch = { limits: { max_connections: 1 } };
  await another("/configs", "PUT", { version: await version(), patch });
  try {
    await expect(client("one-too-many")).rejects.toThrow();
    await open(page, "/limits");
    await expect(page.getByText("Connections of node or listener")).toBeVisible();
    const meter = page.getByRole("meter", { name: "Connections", exact: true });
    await expect(meter).toHaveAttribute("aria-valuenow", "100");
    await picture(page, "limits-met");
  } finally {
    await another("/configs/rollback", "POST", { version: await version(), to: 0 });
  }
});

test("when a certificate ends is told", async ({ page }) => {
  await open(page, "/listeners");
  const row = page.getByRole("row", { name: /office.*server\.pem/ });
  await expect(row.getByText(/^ends in 36\d days$/)).toBeVisible();
});

test("how long commits and deliveries take is drawn", async ({ page }) => {
  await open(page);
  const value = /p50 [\d.]+ (µs|ms|s), p99 [\d.]+ (µs|ms|s)$/;
  await expect(page.getByRole("img", { name: /^Time that the log takes/ })).toHaveAccessibleName(
    value,
  );
  await expect(page.getByRole("img", { name: /^Time from when/ })).toHaveAccessibleName(value);
});
