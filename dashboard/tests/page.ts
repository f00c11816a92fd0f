// What the tests do again and again.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Page } from "@playwright/test";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What `start.ts` has told. */
export function told(name: "PLEXUS_PAGE" | "PLEXUS_PASSWORD" | "PLEXUS_MQTT"): string {
  const value = process.env[name];
  if (!value) throw new Error(`invariant: ${name} is set before the tests`);
  return value;
}

/** Opens a page of the dashboard, logged in. */
export async function open(page: Page, path = "/") {
  await page.goto(`${told("PLEXUS_PAGE")}${path}`);
  await logIn(page);
}

/** Logs in, where one is asked to. */
export async function logIn(page: Page, username = "admin", password = told("PLEXUS_PASSWORD")) {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("button", { name: "Search pages and clients" })).toBeVisible();
}

/** Goes to a page by the navigation. */
export async function goTo(page: Page, title: string) {
  await page
    .getByRole("navigation", { name: "Pages" })
    .getByRole("link", { name: title, exact: true })
    .click();
  await expect(page.getByRole("heading", { level: 1, name: title })).toBeVisible();
}

/** Connects the page as an MQTT client. */
export async function connectMqtt(page: Page) {
  await expect(page.locator('input[data-path="url"]')).toHaveValue(/^ws:/);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(page.getByText("Connected", { exact: true })).toBeVisible();
}

/** Leaves a picture of the page for who wants to look. */
export async function picture(page: Page, name: string) {
  await page.screenshot({ path: `test-results/pages/${name}.png` });
}

/** Asks the node as another administrator would. */
export async function another(path: string, method: string, body?: unknown): Promise<unknown> {
  const ask = async (to: string, init: RequestInit) => {
    const answer = await fetch(`${told("PLEXUS_PAGE")}/api/v5${to}`, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${to}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const who = JSON.stringify({ username: "admin", password: told("PLEXUS_PASSWORD") });
  const { token } = await ask("/login", { method: "POST", body: who });
  const init = { method, headers: { Authorization: `Bearer ${token}` } };
  return ask(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
}

/** The version of the changes that holds. */
export async function version(): Promise<number> {
  return Reflect.get((await another("/configs/changes", "GET")) as object, "version");
}

interface Violation {
  id: string;
  impact: string | null;
  help: string;
  nodes: { html: string; failureSummary: string }[];
}

/** Fails where axe finds something serious. */
export async function expectAccessible(page: Page, name: string) {
  await page.evaluate(axe);
  const violations = await page.evaluate<Violation[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations)",
  );
  const serious = violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  const words = serious.flatMap((one) =>
    one.nodes
      .slice(0, 5)
      .map(
        (node) =>
          `${name}: ${one.id}: ${one.help}\n  ${node.html.slice(0, 300)}\n  ${node.failureSummary}`,
      ),
  );
  expect.soft(words.join("\n")).toBe("");
}
