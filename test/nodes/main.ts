/**
 * `npm run test:nodes`: the smoke seeds of every scenario under other versions of Node and in
 * Chromium, which must leave the same traces as this one. The versions are installed from npm
 * (package `node`) into a folder of their own; a machine without Chromium says so.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMOKES } from "../sim/smoke.ts";
import { inChromium } from "./chromium.ts";
import { underNode } from "./node.ts";
import { differenceOf, type Place } from "./place.ts";

/** Pinned: what is compared must not change by itself. */
const VERSIONS: readonly string[] = ["22.23.3", "24.9.0"];

let passed = 0;
let failed = 0;
const here = underNode(process.version, process.execPath);
const folder = mkdtempSync(join(tmpdir(), "rutile-nodes-"));
try {
  console.log(`${(await here.traces()).size} seeds ${here.name}`);
  for (const version of VERSIONS) await compare(installed(version));
  const browser = await inChromium();
  if (browser === undefined) console.log("  SKIPPED: no Chromium on this machine");
  else await compare(browser);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function compare(there: Place): Promise<void> {
  const begun = performance.now();
  try {
    const difference = await differenceOf(SMOKES, here, there);
    if (difference === undefined) passed += 1;
    else failed += 1;
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`  the same ${there.name}: ${difference ?? "yes"} (${seconds} s)`);
  } finally {
    await there.leave();
  }
}

function installed(version: string): Place {
  const prefix = join(folder, version);
  const install = ["install", "--prefix", prefix, "--no-save", "--no-audit", "--no-fund"];
  execFileSync("npm", [...install, `node@${version}`], { stdio: "ignore" });
  return underNode(`v${version}`, join(prefix, "node_modules/node/bin/node"));
}
