import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { divergenceText } from "../../sim/cli/determinism.ts";
import { firstDivergence } from "../../sim/trace/divergence.ts";
import { suite } from "../harness.ts";
import { withoutAmbience } from "../poison.ts";
import { runSmoke, SMOKES } from "./smoke.ts";

const test = suite("sim/determinism");

const traces = new Map<string, string>();

test("every smoke seed passes, without reading a real clock or a real random number", async () => {
  for (const smoke of SMOKES) {
    const { violation, trace } = await withoutAmbience(() => runSmoke(smoke));
    const name = `${smoke.scenario.name} ${smoke.seed}`;
    if (violation !== undefined) throw new Error(`${name}: ${violation.check}: ${violation.text}`);
    traces.set(name, trace);
  }
});

test("a second run in the same process does the same, event by event", async () => {
  // The last of them has asynchronous clients.
  for (const smoke of [...SMOKES.slice(0, 6), ...SMOKES.slice(-1)]) {
    const a = (await runSmoke(smoke)).recording?.hashes ?? [];
    const b = (await runSmoke(smoke)).recording?.hashes ?? [];
    assert.ok(a.length > 1000);
    assert.is(firstDivergence(a, b), undefined, `${smoke.scenario.name} ${smoke.seed}`);
  }
});

test("a fresh process does the same, whatever ran before", () => {
  const script = fileURLToPath(new URL("smoke-fresh.js", import.meta.url));
  const output = execFileSync(process.execPath, [script], { encoding: "utf8" });
  const lines = output.trim().split("\n");
  assert.is(lines.length, SMOKES.length);
  for (const line of lines) {
    const [scenario, seed, trace] = line.split(" ");
    assert.is(trace, traces.get(`${scenario} ${seed}`), `${scenario} ${seed}`);
  }
});

test("the first difference of two runs is found, also where one only ends earlier", () => {
  assert.is(firstDivergence([1, 2, 3], [1, 2, 3]), undefined);
  assert.is(firstDivergence([1, 2, 3], [1, 5, 3]), 2);
  assert.is(firstDivergence([1, 2], [1, 2, 3]), 3);
});

test("a difference is told with both sides, and said to be hidden where the words are the same", () => {
  const a = { hashes: [1, 2, 3], labels: ["one", "two", "three"] };
  const sides = ["here", "there"] as const;
  assert.is(divergenceText(a, a), undefined);
  assert.is(
    divergenceText(a, { hashes: [1, 5, 3], labels: ["one", "five", "three"] }, sides),
    'event 2 differs: "two" here, "five" there',
  );
  assert.is(
    divergenceText(a, { hashes: [1, 2], labels: ["one", "two"] }),
    'event 3 differs: "three" in one run, "the end" in the other',
  );
  assert.match(
    divergenceText(a, { ...a, hashes: [1, 2, 4] }, sides) ?? "",
    '"three" there, in its exact time, its payload or what it led to',
  );
});

test.run();
