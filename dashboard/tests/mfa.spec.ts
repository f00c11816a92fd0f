// A second factor is made, asked for, and ended, by its user and by an administrator.

import { expect, type Page, test } from "@playwright/test";
import { another, expectAccessible, logIn, open, picture, told } from "./page";
import { codeOf } from "./totp";

const PASSWORD = "of a person, long enough";

async function openAs(page: Page, username: string) {
  await page.goto(told("PLEXUS_PAGE"));
  await logIn(page, username, PASSWORD);
}

async function choose(page: Page, username: string, item: string) {
  await page.getByRole("button", { name: username, exact: true }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

/** Makes a second factor, and yields its secret. */
async function setUp(page: Page, username: string): Promise<string> {
  await choose(page, username, "Second factor");
  const dialog = page.getByRole("dialog", { name: "Second factor" });
  await dialog.getByRole("button", { name: "Set up" }).click();
  const link = dialog.getByRole("link", { name: "Open in an app of this device" });
  const uri = new URL((await link.getAttribute("href")) ?? "");
  expect(uri.protocol).toBe("otpauth:");
  const secret = uri.searchParams.get("secret") ?? "";
  await expect(dialog.getByText(secret.replace(/(.{4})(?=.)/g, "$1 "))).toBeVisible();
  return secret;
}

async function confirmCode(page: Page, code: string) {
  const dialog = page.getByRole("dialog", { name: "Second factor" });
  await dialog.getByLabel("Code of your app").fill(code);
  await dialog.getByRole("button", { name: "Confirm" }).click();
}

/** Shows name and password, after which the code is asked for. */
async function showPassword(page: Page, username: string) {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByLabel("Code of your app")).toBeFocused();
}

/** A code that is none of those of now. */
function wrongCode(secret: string): string {
  const right = [-1, 0, 1].map((ahead) => codeOf(secret, ahead));
  return ["000000", "111111", "222222", "333333"].find((code) => !right.includes(code)) ?? "";
}

test.describe("of a viewer", () => {
  const username = "second-viewer";
  test.beforeEach(() =>
    another("/users", "POST", { username, password: PASSWORD, role: "viewer" }),
  );
  test.afterEach(() => another(`/users/${username}`, "DELETE"));

  test("it is made, asked for at the log-in, and ended", async ({ page }) => {
    await openAs(page, username);
    const secret = await setUp(page, username);
    await picture(page, "mfa-set-up");
    await expectAccessible(page, "Second factor, set up");
    await confirmCode(page, wrongCode(secret));
    // A wrong code is told, and the log-in goes on.
    const dialog = page.getByRole("dialog", { name: "Second factor" });
    await expect(dialog.getByRole("alert")).toHaveText(/wrong/);
    await confirmCode(page, codeOf(secret));
    await expect(page.getByText("From now on your log-ins need a code.")).toBeVisible();

    await choose(page, username, "Log out");
    await showPassword(page, username);
    await expect(page.getByRole("alert")).toHaveCount(0);
    await picture(page, "login-code");
    await expectAccessible(page, "Log-in with a code");
    const code = page.getByLabel("Code of your app");
    await code.fill("12");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await expect(page.getByText("Six digits", { exact: true })).toBeVisible();
    await code.fill(wrongCode(secret));
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await expect(page.getByRole("alert")).toHaveText(/wrong/);
    await expect(code).toHaveValue("");
    await page.getByRole("button", { name: "Log in as somebody else" }).click();
    await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
    await showPassword(page, username);
    const right = codeOf(secret, 1);
    await code.fill(`${right.slice(0, 3)} ${right.slice(3)}`);
    await page.getByRole("button", { name: "Log in", exact: true }).click();

    await choose(page, username, "Second factor");
    await expect(dialog.getByText("Your log-ins need a code of your app.")).toBeVisible();
    await expect(page.getByRole("menu")).toBeHidden();
    await picture(page, "mfa-on");
    await expectAccessible(page, "Second factor, on");
    await dialog.getByRole("button", { name: "End second factor" }).click();
    const question = page.getByRole("dialog", { name: "End your second factor?" });
    await question.getByRole("button", { name: "End second factor" }).click();
    await expect(page.getByText("Your second factor is ended.")).toBeVisible();
    await choose(page, username, "Log out");
    await logIn(page, username, PASSWORD);
  });
});

test("a wrong password of now ends no log-in", async ({ page }) => {
  await open(page);
  await choose(page, "admin", "Change password");
  const dialog = page.getByRole("dialog", { name: "Change your password" });
  await dialog.getByLabel("Password of now").fill("not this one");
  await dialog.getByLabel("New password", { exact: true }).fill(PASSWORD);
  await dialog.getByLabel("New password again").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Change password" }).click();
  await expect(dialog.getByRole("alert")).toBeVisible();
  await expect(page.getByRole("button", { name: "admin", exact: true })).toHaveCount(1);
});

test.describe("of an administrator", () => {
  const username = "second-admin";
  test.beforeEach(() =>
    another("/users", "POST", { username, password: PASSWORD, role: "administrator" }),
  );
  test.afterEach(() => another(`/users/${username}`, "DELETE"));

  test("the list of users shows it, and another administrator ends it", async ({ page }) => {
    await openAs(page, username);
    const secret = await setUp(page, username);
    await confirmCode(page, codeOf(secret));
    await expect(page.getByText("From now on your log-ins need a code.")).toBeVisible();
    await choose(page, username, "Second factor");
    await expect(page.getByText("Your log-ins need a code of your app.")).toBeVisible();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
    await choose(page, username, "Log out");

    await open(page, "/users");
    const row = page.getByRole("row", { name: new RegExp(username) });
    await expect(row.getByText("on", { exact: true })).toBeVisible();
    await picture(page, "users-mfa");
    await row.getByRole("button", { name: "Change" }).click();
    await expectAccessible(page, "Change user with a second factor");
    await picture(page, "users-mfa-change");
    await page
      .getByRole("dialog", { name: "Change user" })
      .getByRole("button", { name: "End second factor" })
      .click();
    const question = page.getByRole("dialog", { name: `End the second factor of ${username}?` });
    await question.getByRole("button", { name: "End second factor" }).click();
    await expect(page.getByText(`The second factor of ${username} is ended.`)).toBeVisible();
    await expect(row.getByText("on", { exact: true })).toHaveCount(0);
    await choose(page, "admin", "Log out");
    await logIn(page, username, PASSWORD);
  });
});
