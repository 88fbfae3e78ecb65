/**
 * Runs every `*.test.js` below this folder, or those whose path contains one of the arguments, and
 * ends with the line `N passed, N failed`.
 */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "uvu/run";

// Tells uvu, which the harness loads, that a runner will start the suites.
Object.assign(globalThis, { UVU_DEFER: 1 });
const { counts, forgottenSuites } = await import("./harness.ts");

const root = fileURLToPath(new URL(".", import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.js"))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();

process.on("exit", () => {
  const broken = forgottenSuites() + (counts.suites === 0 ? 1 : 0);
  if (forgottenSuites() > 0) console.error(`${forgottenSuites()} suite(s) never called run()`);
  if (counts.suites === 0) console.error(`no test file matches ${wanted.join(" ") || root}`);
  if (counts.failed + broken > 0) process.exitCode = 1;
  console.log(`${counts.passed} passed, ${counts.failed + broken} failed`);
});

await run(
  files.map((file) => ({ name: relative(root, join(root, file)), file: join(root, file) })),
);
