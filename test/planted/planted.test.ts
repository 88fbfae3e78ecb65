import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { BUGS } from "./bugs.ts";
import { problemOf } from "./plant.ts";

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

test.run();
