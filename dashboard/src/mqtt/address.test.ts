import { expect, it } from "vitest";
import type { Listener } from "../api/client";
import { addressesOf } from "./address";

const listener = (bind: string, running = true): Listener => ({
  id: bind,
  type: bind.split(":")[0] ?? "",
  bind,
  status: { running, max_connections: 10 },
});

it("finds the node where the page came from", () => {
  const listeners = [
    "tcp://0.0.0.0:1883",
    "wss://0.0.0.0:8084/mqtt",
    "ws://0.0.0.0:8083/mqtt",
    "ws://10.0.0.7:81/m",
  ].map((bind) => listener(bind));
  const at = (protocol: string) => addressesOf(listeners, { protocol, hostname: "plexus.example" });
  expect(at("http:")).toEqual([
    "wss://plexus.example:8084/mqtt",
    "ws://plexus.example:8083/mqtt",
    "ws://10.0.0.7:81/m",
  ]);
  expect(at("https:")).toEqual(["wss://plexus.example:8084/mqtt"]);
});

it("does not offer what does not listen or is no address", () => {
  const listeners = [listener("ws://0.0.0.0:8083/mqtt", false), listener("ws:nonsense:")];
  expect(
    addressesOf(listeners, { protocol: "http:", hostname: "h" }).filter((url) =>
      url.includes("8083"),
    ),
  ).toEqual([]);
});
