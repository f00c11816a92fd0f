// Fails when the first load is too large: the page, what it names, and the chunks of log-in and overview.
import { readFileSync, statSync } from "node:fs";

const LIMIT = 500 * 1000;
const FIRST_PAGES = ["src/pages/Login.tsx", "src/pages/Overview.tsx"];

const manifest = JSON.parse(readFileSync("dist/.vite/manifest.json", "utf8"));
const wanted = new Set(["index.html", "scheme.js", "mark.svg"]);

function add(name) {
  const chunk = manifest[name];
  if (!chunk)
    throw new Error(`the build has no ${name}; say in scripts/size.mjs what the first pages are`);
  if (wanted.has(chunk.file)) return;
  wanted.add(chunk.file);
  for (const style of chunk.css ?? []) wanted.add(style);
  for (const used of chunk.imports ?? []) add(used);
}

for (const name of ["index.html", ...FIRST_PAGES]) add(name);
let total = 0;
for (const file of [...wanted].sort()) {
  const bytes = statSync(`dist/${file}.gz`).size;
  total += bytes;
  console.log(`${String(bytes).padStart(8)}  ${file}`);
}
console.log(
  `${String(total).padStart(8)}  bytes of the first load, compressed; ${LIMIT} are allowed`,
);
if (total > LIMIT) process.exit(1);
