/**
 * Configuration files: TOML whose keys are listed with their kinds. A key that is not listed, or a
 * value of another kind, is refused by its name and line: a misspelt setting must not be ignored.
 */
import { readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import { READERS } from "./kinds.ts";
import type { Kind, Kinds } from "./kinds.ts";

/** The keys of a file with their kinds, as `"server.addr": "address"`. */
export type Schema = Readonly<Record<string, Kind>>;

/** What a file with this schema may set. */
export type Values<S extends Schema> = { readonly [K in keyof S]?: Kinds[S[K]] };

export type Loaded<S extends Schema> =
  | { readonly ok: true; readonly values: Values<S> }
  /** One line for people. */
  | { readonly ok: false; readonly detail: string };

export function loadFile<const S extends Schema>(file: string, schema: S): Loaded<S> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return { ok: false, detail: `cannot read the configuration: ${(error as Error).message}` };
  }
  return parseConfig(text, file, schema);
}

/** `file` is only for the messages. */
export function parseConfig<const S extends Schema>(
  text: string,
  file: string,
  schema: S,
): Loaded<S> {
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    return { ok: false, detail: `${file}:${error.line}: ${reason}` };
  }
  const values: Record<string, unknown> = {};
  const failure = readTable(table, "", schema, values);
  if (failure !== undefined) {
    return { ok: false, detail: `${file}:${lineOf(text, failure.path)}: ${failure.reason}` };
  }
  // Every value was read by the reader of its key's kind.
  return { ok: true, values: values as Values<S> };
}

interface Failure {
  readonly path: string;
  readonly reason: string;
}

function readTable(
  table: Readonly<Record<string, unknown>>,
  prefix: string,
  schema: Schema,
  values: Record<string, unknown>,
): Failure | undefined {
  for (const [key, value] of Object.entries(table)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const kind = schema[path];
    const failure =
      kind === undefined
        ? readUnlisted(value, path, schema, values)
        : readValue(value, path, kind, values);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Either a table above listed keys, or unknown. */
function readUnlisted(
  value: unknown,
  path: string,
  schema: Schema,
  values: Record<string, unknown>,
): Failure | undefined {
  const isAbove = Object.keys(schema).some((key) => key.startsWith(`${path}.`));
  if (!isAbove) return { path, reason: `unknown configuration key ${path}` };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { path, reason: `${path} must be a table` };
  }
  return readTable(value as Record<string, unknown>, path, schema, values);
}

function readValue(
  value: unknown,
  path: string,
  kind: Kind,
  values: Record<string, unknown>,
): Failure | undefined {
  const read = READERS[kind](value);
  if (!read.ok) return { path, reason: `${path} must be ${read.expected}` };
  values[path] = read.value;
  return undefined;
}

/** The line on which `path` is set, as far as a look at headers and keys can tell; else 1. */
function lineOf(text: string, path: string): number {
  let table = "";
  for (const [i, line] of text.split("\n").entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line);
    if (header !== null) table = (header[1] ?? "").replaceAll(/["'\s]/g, "");
    const key = /^\s*([A-Za-z0-9_."' -]+?)\s*=/.exec(line)?.[1]?.replaceAll(/["'\s]/g, "");
    const here = key === undefined ? table : table === "" ? key : `${table}.${key}`;
    if ((header !== null || key !== undefined) && here === path) return i + 1;
    // `[a.b]` where a is unknown, or an inline table.
    if (header !== null && (here === path || here.startsWith(`${path}.`))) return i + 1;
  }
  return 1;
}
