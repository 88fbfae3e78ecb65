/** The worked example of `docs/testing.md` does what is told there. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import fc from "fast-check";
import { suite } from "../harness.ts";
import { checkout } from "./guide/checkout.ts";
import { checkout as fixed } from "./guide/fixed.ts";
import { neverOversold } from "./guide/oversell.ts";

const test = suite("simulation/guide");

const root = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, "utf8");

test("the programs in docs/testing.md are those of the guide", () => {
  const blocks = [...read("docs/testing.md").matchAll(/^```ts\n([\s\S]*?)^```$/gm)];
  const text = blocks.map(([, block]) => block).join("");
  for (const name of ["checkout", "fixed", "oversell"]) {
    const program = read(`test/simulation/guide/${name}.ts`).replace(/^\/\*\*.*\*\/\n/, "");
    assert.ok(text.includes(program), name);
  }
});

test("rings are sold that are not there, and what shows it shows it again", async () => {
  const found = await fc.check(neverOversold(checkout), { seed: 2, numRuns: 200 });
  assert.ok(found.failed);
  assert.match(String(found.errorInstance), /of 30 rings are sold/);
  const { counterexample, counterexamplePath } = found;
  const path = counterexamplePath ?? "";
  const again = await fc.check(neverOversold(checkout), { seed: 2, path, endOnFailure: true });
  assert.equal(again.counterexample, counterexample);
});

test("the mended service sells none twice", async () => {
  await fc.assert(neverOversold(fixed), { seed: 1, numRuns: 20 });
});

test.run();
