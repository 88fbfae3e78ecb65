/** Flags read as the kinds of the configuration file, so that both accept the same texts. */
import { InvalidArgumentError } from "commander";
import { loadFile } from "../config/file.ts";
import type { Schema, Values } from "../config/file.ts";
import { READERS } from "../config/kinds.ts";
import type { Kind, Kinds } from "../config/kinds.ts";
import { refuseUsage } from "./serve.ts";

/** Reads a flag's text as `kind`, for commander's `argParser`. */
export const as =
  <K extends Kind>(kind: K): ((text: string) => Kinds[K]) =>
  (text) => {
    const read = READERS[kind](text);
    if (!read.ok) throw new InvalidArgumentError(`It must be ${read.expected}.`);
    return read.value;
  };

/** What `--config` says; an unreadable or wrong file ends the process. */
export function loadConfig<const S extends Schema>(file: string | undefined, schema: S): Values<S> {
  if (file === undefined) return {};
  const loaded = loadFile(file, schema);
  return loaded.ok ? loaded.values : refuseUsage(loaded.detail);
}
