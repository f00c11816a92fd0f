// What an operator does.

import { expect, type Page, test } from "@playwright/test";
import mqtt from "mqtt";
import { connectMqtt, goTo, logIn, open, told } from "./page";

async function client(clientId: string) {
  return mqtt.connectAsync(told("PLEXUS_MQTT"), {
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
}

async function apiToken(): Promise<string> {
  const body = JSON.stringify({ username: "admin", password: told("PLEXUS_PASSWORD") });
  const answer = await fetch(`${told("PLEXUS_PAGE")}/api/v5/login`, { method: "POST", body });
  const { token } = (await answer.json()) as { token: string };
  return token;
}

async function search(page: Page, text: string) {
  await page.getByLabel("Identifier, user, address…").fill(text);
}

test("a wrong password is told, and the log-in leads to where one wanted to go", async ({
  page,
}) => {
  await page.goto(`${told("PLEXUS_PAGE")}/clients?search=robot-003`);
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password", { exact: true }).fill("not this one");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await logIn(page);
  await expect(page.getByRole("link", { name: "robot-003" })).toBeVisible();
  await expect(page.getByRole("link", { name: "robot-004" })).toHaveCount(0);
});

test("a log-in that is over leads back to the log-in", async ({ page }) => {
  await open(page, "/subscriptions");
  const token = await page.evaluate(
    () => JSON.parse(sessionStorage.getItem("plexus-session") ?? "{}").token as string,
  );
  await fetch(`${told("PLEXUS_PAGE")}/api/v5/logout`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
  });
  await expect(page.getByText("Your log-in is over. Please log in again.")).toBeVisible();
  await logIn(page);
  await expect(page.getByRole("heading", { level: 1, name: "Subscriptions" })).toBeVisible();
});

test("a client is found, looked at and sent away", async ({ page }) => {
  const victim = await client("pump-17");
  const gone = new Promise((resolve) =>
    victim.once("disconnect", (packet) => resolve(packet.reasonCode)),
  );
  await victim.subscribeAsync("pumps/17/#", { qos: 1 });
  await open(page);
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder(/^Page, client/).fill("pump-17");
  await page.getByRole("option", { name: /pump-17/ }).click();
  await expect(page.getByRole("heading", { level: 1, name: "pump-17" })).toBeVisible();
  await expect(page.getByText("pumps/17/#")).toBeVisible();
  await page.getByRole("button", { name: "Disconnect", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText(/its session ends/)).toBeVisible();
  await dialog.getByRole("button", { name: "Disconnect" }).click();
  await expect(page.getByText("Disconnected pump-17.")).toBeVisible();
  expect(await gone).toBe(0x98);
  await search(page, "pump-17");
  await expect(page.getByText("No client is like that")).toBeVisible();
});

test("nothing is done where the answer is no", async ({ page }) => {
  await open(page, "/clients/detail?id=robot-005");
  await page.getByRole("button", { name: "Disconnect", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.getByText("Connected", { exact: true }).first()).toBeVisible();
});

test("several clients are sent away together", async ({ page }) => {
  const clients = await Promise.all(["batch-1", "batch-2", "batch-3"].map(client));
  await open(page, "/clients?search=batch-");
  for (const name of ["batch-1", "batch-3"]) await page.getByLabel(`Choose ${name}`).check();
  await page.getByRole("button", { name: "Disconnect", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await expect(page.getByRole("link", { name: "batch-1" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "batch-2" })).toBeVisible();
  await Promise.all(clients.map((one) => one.endAsync(true)));
});

test("clients are sorted and filtered", async ({ page }) => {
  await open(page, "/clients");
  await page.getByRole("button", { name: "Queue" }).click();
  await page.getByRole("button", { name: "Queue" }).click();
  const first = page.getByRole("table", { name: "Clients" }).getByRole("row").nth(1);
  await expect(first.getByRole("link", { name: "historian" })).toBeVisible();
  await page.getByText("Away", { exact: true }).first().click();
  await expect(page).toHaveURL(/state=disconnected/);
  await expect(page.getByRole("link", { name: /^robot/ })).toHaveCount(0);
});

test("the queue of a client that is away grows before one's eyes", async ({ page }) => {
  const writer = await client("writer-of-queue");
  const reader = await mqtt.connectAsync(told("PLEXUS_MQTT"), {
    clientId: "reader-of-queue",
    protocolVersion: 5,
    clean: true,
    properties: { sessionExpiryInterval: 600 },
    reconnectPeriod: 0,
  });
  await reader.subscribeAsync("queue/#", { qos: 1 });
  await reader.endAsync(true);
  await open(page, "/clients/detail?id=reader-of-queue");
  await expect(page.getByText("Away", { exact: true })).toBeVisible();
  for (let number = 0; number < 7; number += 1)
    await writer.publishAsync("queue/a", `${number}`, { qos: 1 });
  await expect(page.getByText(/^7 of/)).toBeVisible();
  await writer.endAsync();
});

test("who would receive a topic is found", async ({ page }) => {
  await open(page, "/subscriptions");
  await page.getByLabel("Receives this topic…").fill("plant/line1/robot4/state");
  await expect(page.getByRole("link", { name: "historian" })).toBeVisible();
  await page.getByLabel("Receives this topic…").fill("nobody/wants/this");
  await expect(page.getByText("No subscription is like that")).toBeVisible();
});

test("a message is published and what became of it is told", async ({ page }) => {
  const listener = await client("listener");
  await listener.subscribeAsync("orders/#", { qos: 1 });
  const came = new Promise<[string, string, string | undefined]>((resolve) =>
    listener.once("message", (topic, payload, packet) =>
      resolve([topic, payload.toString(), packet.properties?.contentType]),
    ),
  );
  await open(page, "/publish");
  await page.getByLabel("Topic", { exact: true }).fill("orders/#");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.getByText(/^A topic has no wildcard/)).toBeVisible();
  await page.getByLabel("Topic", { exact: true }).fill("orders/1");
  await page.getByLabel("Payload", { exact: true }).fill('{"piece": "Schräge"}');
  await page.getByRole("button", { name: "Properties of MQTT 5.0" }).click();
  await page.getByLabel("Content type").fill("application/json");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.getByText("Somebody got it")).toBeVisible();
  expect(await came).toEqual(["orders/1", '{"piece": "Schräge"}', "application/json"]);
  await page.getByLabel("Topic", { exact: true }).fill("nobody/listens");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.getByText(/subscri/i).last()).toBeVisible();
  await listener.endAsync();
});

test("a topic is followed, in the format that it has", async ({ page }) => {
  await open(page, "/topics");
  const tree = page.getByRole("tree", { name: "Topics" });
  await page.getByLabel("Part of a topic…").fill("camera");
  await tree.getByRole("treeitem", { name: /camera/ }).click();
  await expect(page.getByRole("img", { name: "The payload, image/png" })).toBeVisible();
  await expect(page.getByText("retained", { exact: true }).last()).toBeVisible();
  await page.getByLabel("Part of a topic…").fill("sensor4/");
  await tree.getByRole("treeitem", { name: /climate/ }).click();
  await expect(page.getByText('"degrees"')).toBeVisible();
  await expect(page.getByRole("combobox", { name: "Field to draw" })).toHaveValue("degrees");
  await expect(page.getByRole("img", { name: /^degrees of/ })).toBeVisible();
  await page.getByText("Hex", { exact: true }).click();
  await expect(page.getByText(/^000000 /)).toBeVisible();
});

test("what a client has sent runs nowhere", async ({ page }) => {
  let isHarmed = false;
  page.on("dialog", (dialog) => {
    isHarmed = true;
    void dialog.dismiss();
  });
  const hostile = await client("<img src=x onerror=alert(3)>");
  await open(page, "/topics");
  await page.getByLabel("Part of a topic…").fill("script>");
  await page
    .getByRole("treeitem", { name: /script>/ })
    .last()
    .click();
  await expect(page.locator("pre")).toHaveText("<img src=x onerror=alert(2)>");
  await goTo(page, "Clients");
  await search(page, "onerror");
  await page.getByRole("link", { name: "<img src=x onerror=alert(3)>" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("<img src=x onerror=alert(3)>");
  expect(isHarmed).toBe(false);
  await hostile.endAsync();
});

test("the page is an MQTT client of its own", async ({ page }) => {
  await open(page, "/mqtt");
  await connectMqtt(page);
  await page.getByLabel("Topic filter").fill("a/#/b");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await expect(page.getByText(/^# stands alone/)).toBeVisible();
  await page.getByLabel("Topic filter").fill("echo/#");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await expect(page.getByRole("button", { name: "Unsubscribe from echo/#" })).toBeVisible();
  await page.getByLabel("Topic", { exact: true }).fill("echo/1");
  await page.getByLabel("Payload", { exact: true }).fill("48 65 6c 6c 6f");
  await page.getByText("Hex", { exact: true }).first().click();
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await page.getByRole("option", { name: /echo\/1/ }).click();
  await expect(page.locator("pre")).toHaveText("Hello");
});

test("users are made, changed and deleted", async ({ page }) => {
  await open(page, "/users");
  await page.getByRole("button", { name: "New user" }).click();
  await page.getByLabel("Name", { exact: true }).fill("vera");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Create user" }).click();
  await expect(page.getByText("8 to 256 bytes")).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill("a long password");
  await page.getByRole("button", { name: "Create user" }).click();
  const row = page.getByRole("row", { name: /vera/ });
  await expect(row.getByText("viewer")).toBeVisible();
  await row.getByRole("button", { name: "Change" }).click();
  await page.getByLabel("Description").fill("night shift");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(row.getByText("night shift")).toBeVisible();
  await row.getByRole("button", { name: "Delete vera" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete user" }).click();
  await expect(row).toHaveCount(0);
});

test("each role sees what it may", async ({ page }) => {
  const headers = { Authorization: `Bearer ${await apiToken()}` };
  for (const role of ["viewer", "publisher"]) {
    const body = JSON.stringify({ username: role, password: `the ${role} of tests`, role });
    await fetch(`${told("PLEXUS_PAGE")}/api/v5/users`, { method: "POST", headers, body });
  }
  await page.goto(told("PLEXUS_PAGE"));
  await logIn(page, "viewer", "the viewer of tests");
  const pages = page.getByRole("navigation", { name: "Pages" });
  await expect(pages.getByRole("link", { name: "Clients", exact: true })).toBeVisible();
  for (const hidden of ["Users", "API keys", "Publish"]) {
    await expect(pages.getByRole("link", { name: hidden, exact: true })).toHaveCount(0);
  }
  await goTo(page, "Clients");
  await expect(page.getByLabel("Choose robot-003")).toHaveCount(0);
  await page.getByRole("button", { name: "viewer" }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await logIn(page, "publisher", "the publisher of tests");
  await expect(page.getByText("Your role does not show this page")).toBeVisible();
  await expect(pages.getByRole("link", { name: "Publish" })).toBeVisible();
  await expect(pages.getByRole("link", { name: "Overview" })).toHaveCount(0);
});

test("a key is made, its secret is shown once, and it works", async ({ page }) => {
  await open(page, "/keys");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name", { exact: true }).fill("collector");
  await page.getByRole("button", { name: "Make key" }).click();
  const dialog = page.getByRole("dialog", { name: "The key is made" });
  const [key, secret] = await Promise.all([
    dialog.getByRole("definition").nth(1).textContent(),
    dialog.getByRole("definition").nth(2).textContent(),
  ]);
  const shown = Buffer.from(`${key?.trim()}:${secret?.trim()}`).toString("base64");
  const asked = () =>
    fetch(`${told("PLEXUS_PAGE")}/api/v5/nodes`, { headers: { Authorization: `Basic ${shown}` } });
  expect((await asked()).status).toBe(200);
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await page.getByLabel("collector may be used").press("Space");
  await expect(page.getByText("Off", { exact: true })).toBeVisible();
  expect((await asked()).status).toBe(401);
  await page.getByRole("button", { name: "Delete collector" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete key" }).click();
  await expect(page.getByText("No program has a key")).toBeVisible();
});

test("one's own password is changed", async ({ page }) => {
  const headers = { Authorization: `Bearer ${await apiToken()}` };
  const body = JSON.stringify({ username: "paul", password: "the first password" });
  await fetch(`${told("PLEXUS_PAGE")}/api/v5/users`, { method: "POST", headers, body });
  await page.goto(told("PLEXUS_PAGE"));
  await logIn(page, "paul", "the first password");
  await page.getByRole("button", { name: "paul" }).click();
  await page.getByRole("menuitem", { name: "Change password" }).click();
  await page.getByLabel("Password of now").fill("the first password");
  await page.getByLabel("New password", { exact: true }).fill("the second password");
  await page.getByLabel("New password again").fill("the other password");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("The two are not the same")).toBeVisible();
  await page.getByLabel("New password again").fill("the second password");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("Your password is changed.")).toBeVisible();
});

test("a node that is not reachable is told, and found again", async ({ page, context }) => {
  await open(page, "/clients?search=robot-003");
  await expect(page.getByRole("link", { name: "robot-003" })).toBeVisible();
  await context.setOffline(true);
  await expect(
    page.getByRole("alert").filter({ hasText: "The node does not answer." }),
  ).toBeVisible();
  await expect(page.getByRole("link", { name: "robot-003" })).toBeVisible();
  await context.setOffline(false);
  await expect(
    page.getByRole("alert").filter({ hasText: "The node does not answer." }),
  ).toBeHidden();
});

test("everything is reached by keyboard", async ({ page }) => {
  await open(page, "/clients?search=robot-003");
  await expect(page.getByRole("link", { name: "robot-003" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("link", { name: "robot-003" })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the page" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Identifier, user, address…")).toBeFocused();
});

test("the pages take nothing from elsewhere", async ({ page }) => {
  const hosts = new Set<string>();
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  await open(page);
  for (const title of ["Clients", "Publish", "Users", "Overview"]) await goTo(page, title);
  expect([...hosts]).toEqual([new URL(told("PLEXUS_PAGE")).host]);
});
