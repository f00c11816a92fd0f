// The program itself, on free ports, with a folder of its own.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A node that runs. */
export interface RunningNode {
  /** Where the dashboard is. */
  page: string;
  /** Where MQTT over TCP is. */
  mqtt: string;
  /** Where clients of the tenant `acme` come in. */
  acme: string;
  /** The password of `admin`. */
  password: string;
  stop: () => Promise<void>;
}

const DEADLINE = 30_000;

const CONFIGURATION = `
[node]
name = "plant-north"
data_dir = "data"

[api]
address = "127.0.0.1:0"

[[listener]]
url = "tcp://127.0.0.1:0"
name = "plant"

[[listener]]
url = "ws://127.0.0.1:0/mqtt"
name = "browsers"

[[listener]]
url = "tls://127.0.0.1:0"
name = "office"
max_connections = 200
tls = { cert_file = "certs/server.pem", key_file = "certs/server.key" }

[[listener]]
url = "tcp://127.0.0.1:0"
name = "acme"
tenant = "acme"

[mqtt]
max_inflight = 50

[sys]
interval = "1s"

[access]
allow_anonymous = true
users_file = "users.txt"

[[access.tenant]]
name = "acme"
max_connections = 100
max_retained_messages = 5000
max_total_message_rate = "500/s"

[[access.tenant]]
name = "globex"
`;

/** A variable that hides what the pages change. */
const HIDING = { PLEXUS__RETAINED__MAX_MESSAGES: "250000" };

function program(): string {
  const given = process.env.PLEXUS_BIN;
  const places = given ? [given] : ["../target/release/plexus", "../target/debug/plexus"];
  const found = places.find((place) => existsSync(place));
  if (!found)
    throw new Error(`there is no ${places.join(" or ")}; build it, or name it with PLEXUS_BIN`);
  return found;
}

/** What the program says on its way up. */
async function said(child: ChildProcess, patterns: RegExp[]): Promise<string[]> {
  let text = "";
  return new Promise((resolve, reject) => {
    const failed = (why: string) => reject(new Error(`${why}; it said:\n${text}`));
    const deadline = setTimeout(() => failed("the node did not start in time"), DEADLINE);
    child.once("exit", (code) => failed(`the node ended with ${code}`));
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const found = patterns.map((pattern) => pattern.exec(text)?.[1]);
      if (found.every((one) => one !== undefined)) {
        clearTimeout(deadline);
        resolve(found as string[]);
      }
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
  });
}

/** Starts a node and waits until it listens. */
export async function startNode(): Promise<RunningNode> {
  const folder = mkdtempSync(join(tmpdir(), "plexus-dashboard-"));
  writeFileSync(join(folder, "plexus.toml"), CONFIGURATION);
  execFileSync(program(), ["cert", "dev", "--dir", join(folder, "certs")]);
  execFileSync(program(), ["passwd", join(folder, "users.txt"), "operator"], {
    input: "watches-the-plant\n",
  });
  const child = spawn(program(), ["serve", "--config", join(folder, "plexus.toml")], {
    env: { ...process.env, ...HIDING },
  });
  const stop = async () => {
    if (child.exitCode === null) {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const patterns = [
      /password (\S+) \(change/,
      /"url":"(http:[^"]+)"/,
      /"url":"tcp:([^"]+)"/,
      /"url":"tcp:[\s\S]*"url":"tcp:([^"]+)"/,
      /"url":"(ws:[^"]+)"/,
    ];
    const [password = "", page = "", tcp = "", acme = ""] = await said(child, patterns);
    return { page, password, mqtt: `mqtt:${tcp}`, acme: `mqtt:${acme}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
