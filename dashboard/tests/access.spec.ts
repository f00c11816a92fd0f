// Users and rules of MQTT clients that the node keeps: made, changed, moved, taken away; and they hold.

import { expect, type Page, test } from "@playwright/test";
import mqtt from "mqtt";
import { another, expectAccessible, open, picture, told, version } from "./page";

const PASSWORD = "of a robot, long enough";

async function switchAccounts(on: boolean) {
  const patch = { access: { accounts: on ? true : null } };
  await another("/configs", "PUT", { version: await version(), patch });
}

async function connect(username: string, password: string) {
  return mqtt.connectAsync(told("PLEXUS_MQTT"), {
    clientId: `as-${username}`,
    username,
    password,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
}

/** Writes the topic and the permission of a rule. */
async function writeRule(page: Page, number: number, permission: string, topic: string) {
  await page.getByRole("combobox", { name: `Permission of rule ${number}` }).click();
  await page.getByRole("option", { name: permission, exact: true }).click();
  await page.getByLabel(`Topic of rule ${number}`).fill(topic);
}

test.afterEach(() => switchAccounts(false));

test("that nothing is kept is told, with the way to change it", async ({ page }) => {
  await open(page, "/mqtt-users");
  await expect(page.getByText("The node keeps no MQTT users itself")).toBeVisible();
  await picture(page, "mqtt-users-off");
  await page.getByRole("link", { name: "See it in the settings" }).click();
  await expect(page.getByRole("button", { name: "Change access.accounts" })).toBeVisible();
  await page.goto(`${told("PLEXUS_PAGE")}/mqtt-rules`);
  await expect(page.getByText("The node keeps no MQTT rules itself")).toBeVisible();
  await expectAccessible(page, "Rules, off");
});

test("a user is made, connects, gets another password, and is deleted", async ({ page }) => {
  await switchAccounts(true);
  await open(page, "/mqtt-users");
  await expect(page.getByText("The node keeps no user yet")).toBeVisible();
  await page.getByRole("button", { name: "New user" }).click();
  const made = page.getByRole("dialog", { name: "New MQTT user" });
  await made.getByLabel("Name").fill("robot-arm");
  await made.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await expectAccessible(page, "New MQTT user");
  await made.getByRole("button", { name: "Create user" }).click();
  const row = page.getByRole("row", { name: /robot-arm/ });
  await expect(row.getByText("by the rules")).toBeVisible();
  await picture(page, "mqtt-users");
  await expectAccessible(page, "MQTT users");
  await (await connect("robot-arm", PASSWORD)).endAsync();
  await expect(connect("robot-arm", "something else")).rejects.toThrow();

  await row.getByRole("button", { name: "Change robot-arm" }).click();
  const changed = page.getByRole("dialog", { name: "Change MQTT user" });
  await expect(changed.getByLabel("New password", { exact: true })).toHaveValue("");
  await changed.getByLabel("New password", { exact: true }).fill("another of a robot");
  await changed.getByLabel(/No rule holds/).check();
  await changed.getByRole("button", { name: "Save" }).click();
  await expect(row.getByText("superuser")).toBeVisible();
  await (await connect("robot-arm", "another of a robot")).endAsync();

  await row.getByRole("button", { name: "Delete robot-arm" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete user" }).click();
  await expect(page.getByText("The node keeps no user yet")).toBeVisible();
});

test("a user of a tenant is a user of that tenant alone", async ({ page }) => {
  await switchAccounts(true);
  await open(page, "/mqtt-users?tenant=acme");
  await page.getByRole("button", { name: "New user" }).click();
  const made = page.getByRole("dialog", { name: "New MQTT user" });
  await expect(made.getByLabel("Whose user")).toHaveValue("Of acme");
  await made.getByLabel("Name").fill("truck");
  await made.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await made.getByRole("button", { name: "Create user" }).click();
  const row = page.getByRole("row", { name: /truck/ });
  await expect(row).toBeVisible();
  await page.goto(`${told("PLEXUS_PAGE")}/mqtt-users`);
  await expect(page.getByText("The node keeps no user yet")).toBeVisible();
  await page.goto(`${told("PLEXUS_PAGE")}/mqtt-users?tenant=acme`);
  await row.getByRole("button", { name: "Delete truck" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete user" }).click();
  await expect(row).toHaveCount(0);
});

test("rules are written, moved, and hold in their order", async ({ page }) => {
  await switchAccounts(true);
  await open(page, "/mqtt-rules?of=clients");
  await page.getByRole("button", { name: "Rules for a client" }).click();
  const made = page.getByRole("dialog", { name: "Rules for a client" });
  await made.getByLabel("Client identifier").fill("ruled");
  await made.getByRole("button", { name: "Save rules" }).click();
  await expect(made.getByText("Say a topic or filter")).toBeVisible();
  await writeRule(page, 1, "Deny", "ruled/secret");
  await made.getByRole("button", { name: "Add rule" }).click();
  await writeRule(page, 2, "Allow", "ruled/#");
  await picture(page, "mqtt-rules-editor");
  await expectAccessible(page, "Rule editor");
  await made.getByRole("button", { name: "Save rules" }).click();
  await expect(made).toBeHidden();
  await expect(
    page.getByRole("row", { name: /deny all ruled\/secret; allow all ruled\/#/ }),
  ).toBeVisible();
  await picture(page, "mqtt-rules");
  await expectAccessible(page, "MQTT rules");
  const client = await mqtt.connectAsync(told("PLEXUS_MQTT"), {
    clientId: "ruled",
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  const asks = () =>
    client.subscribeAsync("ruled/secret").then(
      () => "granted",
      () => "refused",
    );
  expect(await asks()).toBe("refused");

  await page.getByRole("button", { name: "ruled", exact: true }).click();
  const edited = page.getByRole("dialog", { name: "Rules of ruled" });
  await edited.getByRole("button", { name: "Move rule 2 up" }).click();
  await expect(edited.getByLabel("Topic of rule 1")).toHaveValue("ruled/#");
  await edited.getByRole("button", { name: "Save rules" }).click();
  await expect(edited).toBeHidden();
  expect(await asks()).toBe("granted");
  await client.endAsync();
  await page.getByRole("button", { name: "Delete the rules of ruled" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete rules" }).click();
  await expect(page.getByText("No client has rules of its own")).toBeVisible();
});

test("rules for everybody are written and taken back", async ({ page }) => {
  await switchAccounts(true);
  await open(page, "/mqtt-rules?of=all");
  await expect(page.getByText("There is no rule")).toBeVisible();
  await page.getByRole("button", { name: "Add rule" }).click();
  await writeRule(page, 1, "Deny", "nobody/#");
  await page.getByRole("button", { name: "Save rules" }).click();
  await expect(page.getByText("The rules for everybody hold now.")).toBeVisible();
  await expectAccessible(page, "Rules for everybody");
  await page.reload();
  await expect(page.getByLabel("Topic of rule 1")).toHaveValue("nobody/#");
  await page.getByRole("button", { name: "Delete rule 1" }).click();
  await page.getByRole("button", { name: "Save rules" }).click();
  await page.reload();
  await expect(page.getByText("There is no rule")).toBeVisible();
});
