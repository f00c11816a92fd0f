// The configuration is read, changed and rolled back by an operator, and two of them do not overwrite each other.

import { expect, type Locator, type Page, test } from "@playwright/test";
import { another, expectAccessible, logIn, open, picture, told, version } from "./page";

/** Opens the dialog of a key. */
async function openKey(page: Page, key: string): Promise<Locator> {
  await page.getByLabel("Key, value or meaning…").fill(key);
  await page.getByRole("button", { name: `Change ${key}`, exact: true }).click();
  return page.getByRole("dialog", { name: key });
}

async function addNumber(page: Page, key: string, value: string) {
  const dialog = await openKey(page, key);
  await dialog.getByLabel("Value").fill(value);
  await dialog.getByRole("button", { name: "Add to the change" }).click();
  await expect(dialog).toBeHidden();
}

async function review(page: Page): Promise<Locator> {
  await page
    .getByRole("region", { name: "The change" })
    .getByRole("button", { name: "Review" })
    .click();
  return page.getByRole("dialog", { name: "Review the change" });
}

test("a limit is changed and rolled back", async ({ page }) => {
  await open(page, "/settings");
  const before = await version();
  await addNumber(page, "mqtt.max_inflight", "23");
  await addNumber(page, "node.shards", "2");
  const dialog = await review(page);
  const limit = dialog.getByRole("listitem").filter({ hasText: "mqtt.max_inflight" });
  await expect(limit.getByText("at once")).toBeVisible();
  await expect(limit.locator("del")).toHaveText("50");
  await expect(limit.locator("ins")).toHaveText("23");
  const shards = dialog.getByRole("listitem").filter({ hasText: "node.shards" });
  await expect(shards.getByText("from the next start on")).toBeVisible();
  await picture(page, "settings-review");
  await expectAccessible(page, "Review");
  await dialog.getByLabel("Why").fill("slow scanners");
  await dialog.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText(`Version ${before + 1} holds now.`)).toBeVisible();
  await expect(page.getByText(/1 key waits for the next start/)).toBeVisible();
  expect(await another("/configs", "GET")).toMatchObject({
    config: { mqtt: { max_inflight: 23 } },
  });

  await page.getByRole("tab", { name: "Changed (2)" }).click();
  await expect(page.getByText("mqtt.max_inflight")).toBeVisible();
  await picture(page, "settings-changed");
  await expectAccessible(page, "Changed");
  await page.getByRole("tab", { name: "History" }).click();
  await expect(page.getByText("slow scanners")).toBeVisible();
  await picture(page, "settings-history");
  await expectAccessible(page, "History");
  await page.getByRole("button", { name: `Roll back to version ${before}`, exact: true }).click();
  const back = page.getByRole("dialog", { name: `Roll back to version ${before}?` });
  await expect(back.getByText("mqtt.max_inflight")).toBeVisible();
  await picture(page, "settings-rollback");
  await expectAccessible(page, "Roll back");
  await back.getByRole("button", { name: "Roll back" }).click();
  await expect(back).toBeHidden();
  await expect(page.getByText(/waits for the next start/)).toHaveCount(0);
  expect(await another("/configs", "GET")).toMatchObject({
    version: before + 2,
    config: { mqtt: { max_inflight: 50 } },
  });
});

test("a conflict is told, and nothing is lost", async ({ page }) => {
  await open(page, "/settings");
  await addNumber(page, "mqtt.max_inflight", "23");
  const patch = { mqtt: { max_inflight: 60 } };
  await another("/configs", "PUT", { version: await version(), patch, why: "faster" });
  const dialog = await review(page);
  await expect(dialog.getByText(/Somebody else has changed the configuration/)).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Apply" })).toBeDisabled();
  await picture(page, "settings-conflict");
  await expectAccessible(page, "Conflict");
  await dialog.getByRole("button", { name: "Look again" }).click();
  await expect(dialog.getByText(/Somebody else has changed it meanwhile/)).toBeVisible();
  await expect(dialog.locator("del")).toHaveText("60");
  await expect(dialog.locator("ins")).toHaveText("23");
  await dialog.getByRole("button", { name: "Apply" }).click();
  await expect(dialog).toBeHidden();
  expect(await another("/configs", "GET")).toMatchObject({
    config: { mqtt: { max_inflight: 23 } },
  });
  await another("/configs/rollback", "POST", { version: await version(), to: 0 });
});

test("a mistake is told at its field", async ({ page }) => {
  await open(page, "/settings");
  const level = await openKey(page, "log.level");
  await level.getByLabel("Value").fill("silly");
  await level.getByRole("button", { name: "Add to the change" }).click();
  await expect(level.getByText(/is no level/)).toBeVisible();
  await picture(page, "settings-mistake");
  await expectAccessible(page, "Mistake");
  await level.getByRole("button", { name: "Cancel" }).click();
  // Of two marks of memory that do not fit together neither is wrong by itself.
  const mark = await openKey(page, "memory.high_watermark");
  await mark.getByLabel("Value").fill("95%");
  await mark.getByRole("button", { name: "Add to the change" }).click();
  const dialog = await review(page);
  await expect(dialog.getByText(/memory.critical_watermark/)).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Apply" })).toBeDisabled();
});

test("what hides a change is told", async ({ page }) => {
  const patch = { retained: { max_messages: 1000 } };
  await another("/configs", "PUT", { version: await version(), patch });
  await open(page, "/settings?find=retained.max_messages");
  await expect(page.getByText("hides a change")).toBeVisible();
  await page.getByRole("button", { name: "Change retained.max_messages" }).click();
  await expect(
    page.getByRole("dialog").getByText("PLEXUS__RETAINED__MAX_MESSAGES", { exact: true }),
  ).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("tab", { name: /^Changed/ }).click();
  await expect(page.getByText(/hides the change of/)).toBeVisible();
  await page.getByRole("button", { name: /^Let the file hold again/ }).click();
  const dialog = await review(page);
  await dialog.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText("Nothing is changed", { exact: true })).toBeVisible();
});

test("a list is changed as JSON, with its difference", async ({ page }) => {
  await open(page, "/settings");
  const dialog = await openKey(page, "access.tenant");
  const field = dialog.getByLabel("Value, as JSON");
  await field.fill("[{");
  await dialog.getByRole("button", { name: "Add to the change" }).click();
  await expect(dialog.getByText(/This is no JSON/)).toBeVisible();
  await field.fill('[{"name": "acme", "max_connections": 200}, {"name": "globex"}]');
  await dialog.getByRole("button", { name: "Add to the change" }).click();
  const reviewed = await review(page);
  await expect(
    reviewed.getByText('+ new: "max_connections": 200', { exact: false }),
  ).toBeAttached();
  await picture(page, "settings-list");
  await expectAccessible(page, "List");
});

test("a viewer reads, and changes nothing", async ({ page }) => {
  const password = "only-to-look-at-it";
  await another("/users", "POST", { username: "vera", password, role: "viewer" });
  await page.goto(`${told("PLEXUS_PAGE")}/settings`);
  await logIn(page, "vera", password);
  await page.getByRole("button", { name: "Show mqtt.max_inflight" }).click();
  await expect(page.getByRole("dialog").getByText("50", { exact: true })).toBeVisible();
  await expect(page.getByRole("dialog").getByLabel("Value")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "History" }).click();
  await expect(page.getByText("The configuration file alone")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Roll back/ })).toHaveCount(0);
  await another("/users/vera", "DELETE");
});
