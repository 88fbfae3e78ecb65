// Writes engine/protocol/gen/ from engine/protocol/proto/.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GEN_FOLDER, generate } from "./generate.mjs";

const modules = await generate();
mkdirSync(GEN_FOLDER, { recursive: true });
for (const name of readdirSync(GEN_FOLDER)) {
  if (!modules.has(name)) rmSync(join(GEN_FOLDER, name));
}
for (const [name, text] of modules) writeFileSync(join(GEN_FOLDER, name), text);
console.log(`${modules.size} modules written to ${GEN_FOLDER}`);
