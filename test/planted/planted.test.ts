import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { BUGS } from "./bugs.ts";
import { huntFor } from "./hunting.ts";
import { plant, problemOf } from "./plant.ts";

const test = suite("planted bugs");
const root = fileURLToPath(new URL("../../..", import.meta.url));

test("every planted bug still finds its place in the engine", () => {
  for (const { edits, id } of BUGS) {
    for (const edit of edits) {
      const problem = problemOf(edit, readFileSync(join(root, edit.file), "utf8"));
      assert.is(problem, undefined, `${id}: ${problem}`);
    }
  }
});

// The canary: should the checks ever look at nothing, a run without violations proves nothing.
test("a bug that is planted is caught within a few seeds", async () => {
  const bug = BUGS.find(({ id }) => id === "R17");
  assert.ok(bug !== undefined);
  const planted = plant(root, bug);
  assert.ok(planted.ok, planted.ok ? "" : planted.reason);
  try {
    const found = await huntFor(planted.root, bug, {
      first: 1,
      seeds: 10,
      cpuSeconds: Infinity,
      strategy: "random",
    });
    assert.ok(found.caught, `${bug.name}: survived ${found.seeds} seeds`);
  } finally {
    planted.remove();
  }
});

test.run();
