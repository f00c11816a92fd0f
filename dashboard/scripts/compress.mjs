// Writes a gzip beside every built file that gains by it: the program embeds and serves those.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";

const KINDS = /\.(html|js|css|svg|json|txt)$/;

function* files(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

for (const path of files("dist")) {
  if (KINDS.test(path)) {
    writeFileSync(
      `${path}.gz`,
      gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }),
    );
  }
}
