/**
 * `npm run test:nodes`: the smoke seeds under other versions of Node, which must leave the same
 * traces as this one. They are installed from npm (package `node`) into a folder of their own.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Pinned: what is compared must not change by itself. */
const VERSIONS: readonly string[] = ["22.23.3", "24.9.0"];

const script = fileURLToPath(new URL("../sim/smoke-fresh.js", import.meta.url));

const tracesOf = (node: string): string =>
  execFileSync(node, [script], { encoding: "utf8", maxBuffer: 1 << 24 });

/** The first line that differs, in words; undefined where none does. */
function differenceOf(ours: string, theirs: string): string | undefined {
  const others = theirs.split("\n");
  const lines = ours.split("\n");
  const at = lines.findIndex((line, i) => line !== others[i]);
  return at < 0 ? undefined : `"${lines[at]}" here, "${others[at]}" there`;
}

let passed = 0;
let failed = 0;
const folder = mkdtempSync(join(tmpdir(), "rutile-nodes-"));
try {
  const ours = tracesOf(process.execPath);
  const count = ours.trim().split("\n").length;
  console.log(`${count} seeds under ${process.version}`);
  for (const version of VERSIONS) {
    const prefix = join(folder, version);
    const install = ["install", "--prefix", prefix, "--no-save", "--no-audit", "--no-fund"];
    execFileSync("npm", [...install, `node@${version}`], { stdio: "ignore" });
    const difference = differenceOf(ours, tracesOf(join(prefix, "node_modules/node/bin/node")));
    if (difference === undefined) passed += 1;
    else failed += 1;
    console.log(`  the same under v${version}: ${difference === undefined ? "yes" : difference}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
