/** What `rutile/client` exports says what it is: units, errors, what stands for nothing given. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join, dirname } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";

const test = suite("client: documentation");

const index = fileURLToPath(new URL("../../../runtime/client/index.ts", import.meta.url));

const text = readFileSync(index, "utf8");
const namesIn = (list: string | undefined): string[] =>
  (list ?? "").split(",").map((name) => name.trim());
const exported = new Set([
  ...[...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => namesIn(list)),
  ...[...text.matchAll(/^export (?:interface|function) (\w+)/gm)].map(([, name]) => name ?? ""),
]);

/** The front door itself, and the files of which it exports anything. */
function files(): readonly string[] {
  const found = new Set([index]);
  const moved = text.matchAll(/^(?:import|export) (?:type )?\{([^}]*)\} from "([^"]*)";/gm);
  for (const [, list, from] of moved) {
    if (namesIn(list).some((name) => exported.has(name)))
      found.add(join(dirname(index), from ?? ""));
  }
  return [...found];
}

const DECLARED = /^export (?:class|interface|type|function) (\w+)|^ {2}readonly (\w+)\??:/;
const METHOD = /^ {2}(?:async )?\*?(?!constructor|get |switch|if|for|return)([a-z]\w*)(?:<.*>)?\(/;

/** Places without a comment before them. */
function undocumented(file: string): readonly string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  let isExported = false;
  return lines.flatMap((line, i) => {
    const name = /^export (?:class|interface|type|function) (\w+)/.exec(line)?.[1];
    if (/^[\w]/.test(line)) isExported = name !== undefined && exported.has(name);
    if (!isExported || !(DECLARED.test(line) || METHOD.test(line))) return [];
    return lines[i - 1]?.trimEnd().endsWith("*/") === true ? [] : [`${file}:${i + 1}:${line}`];
  });
}

test("every exported type, field and method has a comment", () => {
  assert.ok(files().length > 8, `${files().length} files`);
  const missing = files().flatMap(undocumented);
  assert.ok(missing.length === 0, missing.join("\n"));
});

test.run();
