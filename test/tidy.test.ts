import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "./harness.ts";
import { RULES } from "./tidy/rules.ts";
import type { Rule, SourceFile } from "./tidy/rules.ts";

const test = suite("tidy");

/** Of the compiled test, which is in `dist/test`. */
const root = fileURLToPath(new URL("../../", import.meta.url));
const FOLDERS = ["engine", "sim", "scenarios", "runtime", "test", "bench"];
/** First line of what a program of ours wrote. */
const GENERATED = /generated/i;
/** Full of offences, for the rules to find. */
const PLANTED = "test/tidy/rules.ts";

const sources: SourceFile[] = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("node_modules"))
    .sort()
    .map((name) => sourceOf(`${folder}/${name.replaceAll("\\", "/")}`)),
).filter(({ path, lines }) => path !== PLANTED && !GENERATED.test(lines.slice(0, 3).join("\n")));

function sourceOf(path: string, text: string = readFileSync(join(root, path), "utf8")): SourceFile {
  return { path, lines: text.replace(/\n$/, "").split("\n") };
}

const found = (rule: Rule, files: readonly SourceFile[]): string[] =>
  files.flatMap((file) =>
    [...rule.check(file)].map(({ line, message }) => `${file.path}:${line}: ${message}`),
  );

for (const rule of RULES) {
  test(rule.title, () => {
    const planted = sourceOf(rule.planted.path, rule.planted.text);
    assert.is(found(rule, [planted]).length, 1, "the rule finds what it forbids");
    const offences = found(rule, sources);
    assert.ok(offences.length === 0, `${rule.title}:\n${offences.join("\n")}`);
  });
}

test("there are sources to be tidy about", () => {
  assert.ok(sources.length > 20, `${sources.length} files`);
});

test.run();
