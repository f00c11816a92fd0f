// What was made on a node is saved as a file, and brought back.

import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { another, expectAccessible, open, picture } from "./page";

const BAN = { as: "clientid", who: "saved-and-restored", reason: "a test" };
const PATH = `/banned/clientid/${BAN.who}`;

async function choose(page: Page, text: string) {
  await page.getByLabel("Backup file").waitFor();
  await page.locator('input[type="file"]').setInputFiles({
    name: "backup.json",
    mimeType: "application/json",
    buffer: Buffer.from(text),
  });
}

async function bans(): Promise<string[]> {
  const { data } = (await another("/banned", "GET")) as { data: { who: string }[] };
  return data.map(({ who }) => who);
}

test("a ban that was saved is brought back, and left where it is there already", async ({
  page,
}) => {
  await another("/banned", "POST", BAN);
  await open(page, "/settings?tab=backup");
  await expect(page.getByText(/secrets of second factors/)).toBeVisible();
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toMatch(/^plexus-plant-north-\d{4}-\d\d-\d\d\.json$/);
  const text = readFileSync(await download.path(), "utf8");
  expect(JSON.parse(text)).toMatchObject({ version: 1, node: "plant-north", bans: [BAN] });
  await another(PATH, "DELETE");

  await choose(page, text);
  const panel = page.locator("section", { has: page.getByRole("heading", { name: "Import" }) });
  await expect(panel.getByText("plant-north")).toBeVisible();
  await expectAccessible(page, "Backup, chosen");
  await picture(page, "backup-chosen");
  await panel.getByRole("button", { name: "Import…" }).click();
  const question = page.getByRole("dialog", { name: "Import this backup?" });
  await expect(question.getByText(/stays as it is/)).toBeVisible();
  await picture(page, "backup-question");
  expect(await bans()).toEqual([]);
  await question.getByRole("button", { name: "Import", exact: true }).click();
  await expect(question).toBeHidden();
  const result = panel.getByRole("status");
  await expect(result.getByText("Left as it was")).toBeVisible();
  await expect(result.locator("dt", { hasText: "Bans" }).locator("+ dd")).toHaveText("1");
  // The administrator was there already, and so still is who imports.
  await expect(result.locator("dt", { hasText: "Users and keys" }).locator("+ dd")).toHaveText("0");
  await expectAccessible(page, "Backup, taken");
  await picture(page, "backup-taken");
  expect(await bans()).toEqual([BAN.who]);
  await another(PATH, "DELETE");
});

test("what is no backup is told before the node is asked", async ({ page }) => {
  await open(page, "/settings?tab=backup");
  await choose(page, "{}");
  await expect(page.getByRole("alert")).toHaveText(/has no “version”/);
  await expect(page.getByRole("button", { name: "Import…" })).toHaveCount(0);
  await choose(page, '{"version": 1, "bans": [{"as": "nothing"}]}');
  await page.getByRole("button", { name: "Import…" }).click();
  const question = page.getByRole("dialog", { name: "Import this backup?" });
  await question.getByRole("button", { name: "Import", exact: true }).click();
  // What the node says of it.
  await expect(question.getByRole("alert")).toHaveText(/unknown variant `nothing`/);
});
