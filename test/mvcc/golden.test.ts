/**
 * Conversations with a store as text: what is said, what it answers, what it changes. A transcript
 * is read by people when it changes: look at the difference before rewriting it with `UPDATE=1`.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { is } from "uvu/assert";
import { suite } from "../harness.ts";
import { Store } from "./store.ts";
import { TRANSCRIPTS } from "./transcripts.ts";

const test = suite("mvcc: transcripts");

/** Compiled tests run from `dist/test/mvcc`; transcripts lie in the sources. */
const folder = fileURLToPath(new URL("../../../test/golden/", import.meta.url));

function transcript(lines: readonly string[]): string {
  const store = new Store();
  const told: string[] = [];
  for (const line of lines) {
    if (line.startsWith("#")) {
      told.push("", line);
      continue;
    }
    told.push(`> ${line}`, `< ${store.say(line)}`);
    for (const change of store.takeChanges()) told.push(`    ${change}`);
  }
  return `${told.join("\n").trim()}\n`;
}

for (const [name, lines] of Object.entries(TRANSCRIPTS)) {
  test(`${name}: everything is said and done as written down`, () => {
    const file = `${folder}mvcc-${name}.txt`;
    const actual = transcript(lines);
    if (process.env["UPDATE"] === "1" || !existsSync(file)) writeFileSync(file, actual);
    is(actual, readFileSync(file, "utf8"));
  });
}

test.run();
