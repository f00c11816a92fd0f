// Every page in both colours and on a phone: something is on it, axe finds nothing serious, and a
// picture of it is left in test-results/pages for who wants to look.

import { expect, type Page, test } from "@playwright/test";
import { connectMqtt, expectAccessible, goTo, logIn, open, picture, told } from "./page";

const SCHEMES = ["dark", "light"] as const;
const PHONE = { width: 390, height: 844 };

/** Pages, with something that is seen when they are there. */
const PAGES: [title: string, path: string, seen: RegExp][] = [
  ["Overview", "/", /^Clients connected$/],
  ["Clients", "/clients", /^robot-\d+$/],
  ["Slow clients", "/slow", /^Slow clients are not looked for$/],
  ["Counted topics", "/counted", /^No topic is counted$/],
  ["Subscriptions", "/subscriptions", /^plant\/\+\/\+\/state$/],
  ["Publish", "/publish", /^What became of it$/],
  ["Retained", "/retained", /^plant\/camera$/],
  ["Live log", "/live", /^robot-\d+$/],
  ["Traces", "/traces", /^Nothing is traced$/],
  ["Explain", "/explain", /^Who would get a message\?$/],
  ["MQTT users", "/mqtt-users", /^The node keeps no MQTT users itself$/],
  ["MQTT rules", "/mqtt-rules", /^The node keeps no MQTT rules itself$/],
  ["Bans", "/bans", /^Nobody is banned$/],
  ["Audit", "/audit", /^log_?in/],
  ["Listeners", "/listeners", /^browsers$/],
  ["Alarms", "/alarms", /^Nothing needs attention$/],
  ["Limits and tenants", "/limits", /^globex$/],
  ["Settings", "/settings", /^max_inflight$/],
  ["Users", "/users", /^admin/],
  ["API keys", "/keys", /^No program has a key$/],
];

async function setScheme(page: Page, scheme: string) {
  await page.addInitScript(
    (wanted) => localStorage.setItem("mantine-color-scheme-value", wanted),
    scheme,
  );
}

test.beforeEach(({ page }) => {
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text()))
      throw new Error(message.text());
  });
  page.on("pageerror", (error) => {
    throw error;
  });
});

for (const scheme of SCHEMES) {
  test(`every page is accessible in ${scheme}`, async ({ page }) => {
    test.setTimeout(300_000);
    await setScheme(page, scheme);
    await page.goto(told("PLEXUS_PAGE"));
    await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
    await picture(page, `login-${scheme}`);
    await expectAccessible(page, "log-in");
    await logIn(page);
    for (const [title, , seen] of PAGES) {
      await goTo(page, title);
      await expect(page.getByText(seen).first()).toBeVisible();
      if (title === "Overview")
        await expect(page.getByText("Drawn as values come in…")).toHaveCount(0, {
          timeout: 20_000,
        });
      await picture(page, `${title.replaceAll(" ", "-").toLowerCase()}-${scheme}`);
      await expectAccessible(page, title);
    }
    await showClient(page);
    await picture(page, `client-${scheme}`);
    await expectAccessible(page, "Client");
    await showMqtt(page);
    await picture(page, `mqtt-client-${scheme}`);
    await expectAccessible(page, "MQTT client");
    await showTopics(page);
    await picture(page, `topics-${scheme}`);
    await expectAccessible(page, "Topics");
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder(/^Page, client/).fill("robot-014");
    await expect(page.getByRole("option", { name: /robot-014/ })).toBeVisible();
    await picture(page, `palette-${scheme}`);
    await expectAccessible(page, "Palette");
  });
}

test("every page can be used on a phone", async ({ page }) => {
  await setScheme(page, "dark");
  await page.setViewportSize(PHONE);
  await open(page);
  for (const [title, path, seen] of PAGES) {
    await page.getByRole("button", { name: "Open the navigation" }).click();
    const drawer = page.getByRole("dialog");
    await expect(drawer).toBeVisible();
    await drawer.getByRole("link", { name: title, exact: true }).click();
    await expect(drawer).toBeHidden();
    await expect(page).toHaveURL(new RegExp(`${path}$`));
    await expect(page.getByText(seen).first()).toBeVisible();
    await picture(page, `${title.replaceAll(" ", "-").toLowerCase()}-phone`);
    await expectAccessible(page, title);
    const over = await page.evaluate(
      () => document.documentElement.scrollWidth - window.innerWidth,
    );
    expect(over, `${title} is no wider than the phone`).toBeLessThanOrEqual(0);
  }
  await page.goto(`${told("PLEXUS_PAGE")}/clients/detail?id=robot-001`);
  await expect(page.getByRole("heading", { level: 1, name: "robot-001" })).toBeVisible();
  await picture(page, "client-phone");
  await page.goto(`${told("PLEXUS_PAGE")}/topics`);
  await expect(page.getByRole("treeitem", { name: /plant/ }).first()).toBeVisible();
  await picture(page, "topics-phone");
});

async function showClient(page: Page) {
  await goTo(page, "Clients");
  await page.getByLabel("Identifier, user, address…").fill("historian");
  await page.getByRole("link", { name: "historian" }).click();
  // The list has the same word, and is there until the page of the client is.
  await expect(page.getByRole("table", { name: "Clients" })).toHaveCount(0);
  await expect(page.getByText("Away", { exact: true })).toBeVisible();
  await expect(page.getByText("plant/line1/+/state")).toBeVisible();
  await expect(page.getByText("Drawn as values come in…")).toHaveCount(0, { timeout: 20_000 });
}

async function showMqtt(page: Page) {
  await goTo(page, "MQTT client");
  await connectMqtt(page);
  await page.getByLabel("Topic filter").fill("plant/#");
  await page.getByRole("button", { name: "Subscribe" }).click();
  await page
    .getByRole("option", { name: /robot6\/state/ })
    .first()
    .click();
  await expect(page.locator("pre")).toContainText("temperature");
}

async function showTopics(page: Page) {
  await goTo(page, "Topics");
  await page.getByLabel("Part of a topic…").fill("robot2");
  await page
    .getByRole("treeitem", { name: /^state/ })
    .first()
    .click();
  await expect(page.getByText("motor.temperature").first()).toBeAttached();
  await page.getByRole("combobox", { name: "Field to draw" }).click();
  await page.getByRole("option", { name: "motor.temperature" }).click();
  await expect(page.getByRole("img", { name: /^motor.temperature of/ })).toBeVisible();
  await expect(page.getByText("Drawn as values come in…")).toHaveCount(0, { timeout: 20_000 });
}
