/**
 * The rules of the house that neither compiler nor linter checks. Each has a planted offence, which
 * proves that the rule finds what it forbids; this file is therefore not looked at.
 */
import { posix } from "node:path";

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly lines: readonly string[];
}

export interface Offence {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

export interface Rule {
  /** A sentence: the title of its test. */
  readonly title: string;
  readonly check: (file: SourceFile) => Iterable<Offence>;
  /** A file that breaks the rule once. */
  readonly planted: { readonly path: string; readonly text: string };
}

const MAX_COLUMNS = 100;
const MAX_LINES = 400;
/** How far down the header of a file may say why it is long. */
const HEADER_LINES = 15;
const LONG_BECAUSE = "Long because";

/** From the ground up: a room imports from itself and from rooms before it. */
const ROOMS: readonly string[] = [
  "base",
  "protocol",
  "raft",
  "storage",
  "raw",
  "mvcc",
  "transaction",
  "region",
  "coprocessor",
  "store",
  "placement",
  "client",
];

/** What the top-level folders may import, besides themselves and packages. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  sim: ["engine"],
  scenarios: ["engine", "sim"],
  runtime: ["engine", "sim", "scenarios"],
  bench: ["engine", "sim", "scenarios", "runtime"],
  test: ["engine", "sim", "scenarios", "runtime", "bench"],
};

export const RULES: readonly Rule[] = [
  {
    title: `no line has more than ${MAX_COLUMNS} columns ("npm run format" breaks comments)`,
    check: (file) =>
      offences(file, (line) =>
        line.length > MAX_COLUMNS && !mayBeLong(line) ? `${line.length} columns` : undefined,
      ),
    planted: { path: "engine/raft/x.ts", text: `// ${"word ".repeat(30)}` },
  },
  {
    title: `a file of more than ${MAX_LINES} lines says why in its header`,
    *check(file) {
      if (file.lines.length <= MAX_LINES) return;
      if (file.lines.slice(0, HEADER_LINES).some((line) => line.includes(LONG_BECAUSE))) return;
      yield { line: 1, message: `${file.lines.length} lines without "${LONG_BECAUSE}"` };
    },
    planted: { path: "engine/raft/x.ts", text: "\n".repeat(MAX_LINES + 1) },
  },
  {
    title: "what is left to do is an issue with a number",
    check: (file) =>
      offences(file, (line) =>
        /\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))/.test(line)
          ? "a note without the number of an issue"
          : undefined,
      ),
    planted: { path: "engine/raft/x.ts", text: "// TODO: later" },
  },
  {
    title: "engine and simulator keep no state in modules",
    check: (file) =>
      isPure(file)
        ? offences(file, (line) => (/^(export )?(let|var)\b/.test(line) ? line : undefined))
        : [],
    planted: { path: "sim/x.ts", text: "let count = 0;" },
  },
  {
    title: "engine, but for the client, is synchronous",
    check: (file) =>
      file.path.startsWith("engine/") && !file.path.startsWith("engine/client/")
        ? offences(file, (line) =>
            /\b(async|await|Promise)\b/.test(codeOf(line)) ? line.trim() : undefined,
          )
        : [],
    planted: { path: "engine/raft/x.ts", text: "export async function step() {}" },
  },
  {
    title: "engine and simulator iterate in an order that they chose",
    check: (file) =>
      isPure(file)
        ? offences(file, (line) =>
            /\bfor \((const|let) \w+ in\b/.test(codeOf(line)) ? "for ... in" : undefined,
          )
        : [],
    planted: { path: "sim/x.ts", text: "for (const key in table) visit(key);" },
  },
  {
    title: "a folder imports only from the folders below it",
    check: (file) =>
      imports(file, (target) => {
        const [from, to] = [folderOf(file.path), folderOf(target)];
        const allowed = FOLDERS[from];
        if (allowed === undefined || from === to || allowed.includes(to)) return undefined;
        return `${from}/ imports ${target}`;
      }),
    planted: { path: "sim/network/x.ts", text: 'import { a } from "../../runtime/a.ts";' },
  },
  {
    title: "a room of the engine imports only from rooms below it",
    check: (file) =>
      imports(file, (target) => {
        const [from, to] = [roomOf(file.path), roomOf(target)];
        if (from === undefined || to === undefined) return undefined;
        return ROOMS.indexOf(to) > ROOMS.indexOf(from) ? `${from}/ imports ${target}` : undefined;
      }),
    planted: { path: "engine/raft/x.ts", text: 'import { a } from "../store/a.ts";' },
  },
  {
    title: "every room of the engine has its place among the floors",
    *check(file) {
      const room = roomOf(file.path);
      if (room === undefined || ROOMS.includes(room)) return;
      yield { line: 1, message: `"${room}" is no room of the engine` };
    },
    planted: { path: "engine/cellar/x.ts", text: "export {};" },
  },
  {
    title: "no test is left out or run alone",
    check: (file) =>
      file.path.startsWith("test/")
        ? offences(file, (line) => (/\b\w+\.(only|skip)\(/.test(line) ? line.trim() : undefined))
        : [],
    planted: { path: "test/x.test.ts", text: 'test.only("one", () => {});' },
  },
  {
    title: "exports have names",
    check: (file) =>
      offences(file, (line) => (/^export default\b/.test(line) ? "a default export" : undefined)),
    planted: { path: "runtime/x.ts", text: "export default 1;" },
  },
];

function* offences(
  file: SourceFile,
  find: (line: string) => string | undefined,
): Iterable<Offence> {
  for (const [i, line] of file.lines.entries()) {
    const message = find(line);
    if (message !== undefined) yield { line: i + 1, message };
  }
}

/** Offences among the imports of our own files; `find` is given the path of each from the root. */
function imports(
  file: SourceFile,
  find: (target: string) => string | undefined,
): Iterable<Offence> {
  return offences(file, (line) => {
    const match = /(?:\bfrom |^import |\bimport\()"(\.[^"]*)"/.exec(codeOf(line));
    if (match === null) return undefined;
    return find(posix.join(posix.dirname(file.path), match[1]!));
  });
}

const isPure = (file: SourceFile): boolean => /^(engine|sim)\//.test(file.path);
const folderOf = (path: string): string => path.slice(0, path.indexOf("/"));
const roomOf = (path: string): string | undefined => /^engine\/([^/]+)\//.exec(path)?.[1];

/** `line` without what is comment on it, as far as a line can tell. */
function codeOf(line: string): string {
  if (/^\s*(\*|\/\*|\/\/)/.test(line)) return "";
  return line.replace(/ \/\/ .*$/, "").replace(/ \/\*.*\*\//, "");
}

/** Addresses, golden bytes, sentences in quotes and tables are not broken for the margin's sake. */
const mayBeLong = (line: string): boolean =>
  /\S{60}|"[^"]{60,}"|'[^']{60,}'|`[^`]{60,}`|^\s*\* .*\S {2,}\S/.test(line);
