// Breaks comments of more than 100 columns, which prettier leaves alone. Part of `npm run format`.
//
// A line that is too long is filled again together with the rest of its paragraph; all others stay as
// they are. A paragraph ends at an empty line, at the end of the comment, at a tag, a list item or a
// line indented further (a table, an example).
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const COLUMNS = 100;
const FOLDERS = ["engine", "sim", "scenarios", "runtime", "test", "bench"];
const root = new URL("..", import.meta.url).pathname;

/** `/** text *\/` on one line, as three. */
function opened(line) {
  const match = /^(\s*)\/\*\* (.*) \*\/$/.exec(line);
  if (match === null || line.length <= COLUMNS) return [line];
  return [`${match[1]}/**`, `${match[1]} * ${match[2]}`, `${match[1]} */`];
}

/** What stands before the text of a comment line, and the text; undefined where it is no such line. */
function parts(line) {
  const match = /^(\s*(?:\*|\/\/) )(\s*)(\S.*)$/.exec(line);
  return match === null ? undefined : { lead: match[1] + match[2], text: match[3] };
}

/** Columns are lined up by hand; so are they broken. */
const isTable = (text) => / {2,}\S/.test(text);

const startsAnew = (text) => /^([-*@|]|\d+\.) ?/.test(text);

function fill(lead, words) {
  const lines = [];
  let line = lead.trimEnd();
  for (const word of words) {
    if (line.length + 1 + word.length > COLUMNS && line.trim() !== lead.trim()) {
      lines.push(line);
      line = lead.trimEnd();
    }
    line = line === lead.trimEnd() ? lead + word : `${line} ${word}`;
  }
  return [...lines, line];
}

function wrap(text) {
  const lines = text.split("\n").flatMap(opened);
  const wrapped = [];
  for (let i = 0; i < lines.length; i++) {
    const first = parts(lines[i]);
    if (lines[i].length <= COLUMNS || first === undefined || isTable(first.text)) {
      wrapped.push(lines[i]);
      continue;
    }
    const words = first.text.split(" ");
    while (i + 1 < lines.length) {
      const next = parts(lines[i + 1]);
      if (next === undefined || next.lead !== first.lead || startsAnew(next.text)) break;
      if (isTable(next.text)) break;
      words.push(...next.text.split(" "));
      i += 1;
    }
    wrapped.push(...fill(first.lead, words));
  }
  return wrapped.join("\n");
}

for (const folder of FOLDERS) {
  for (const name of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.includes("node_modules")) continue;
    const file = join(root, folder, name);
    const text = readFileSync(file, "utf8");
    const wrapped = wrap(text);
    if (wrapped !== text) writeFileSync(file, wrapped);
  }
}
