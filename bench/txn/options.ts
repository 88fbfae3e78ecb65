/** What `npm run bench -- txn` can be told. */
import { parseArgs } from "node:util";

export const PARTS = ["commands", "transfers", "reads", "client"] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  readonly parts: readonly Part[];
  /** Windows that count, of each load. */
  readonly rounds: number;
  /** Length of a window. */
  readonly seconds: number;
  /** Operations under way at any time. */
  readonly clients: number;
  /** Keys of the commands in memory, accounts of the bank. */
  readonly keys: number;
  readonly directory: string;
  /** PostgreSQL is left out. */
  readonly alone: boolean;
}

export const HELP: string = `npm run bench -- txn [options]

Transactions: commands evaluated in memory; transfers and reads on three stores beside PostgreSQL;
what the client library costs beside bare stubs.

  --only PARTS    of ${PARTS.join(",")}; all of them without it
  --rounds N      windows of each load that count, after a warm-up (3)
  --seconds N     length of a window (3)
  --clients N     operations under way at any time (64)
  --keys N        keys in memory, and accounts of the bank (100000)
  --directory D   where the servers keep their data; removed at the end (rutile-data)
  --alone         without PostgreSQL
  --help          this text`;

/** Undefined where help was asked for. Throws as `parseArgs` does at what cannot be. */
export function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "3" },
      clients: { type: "string", default: "64" },
      keys: { type: "string", default: "100000" },
      directory: { type: "string", default: "rutile-data" },
      alone: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    parts: partsOf(values.only),
    rounds: positive("rounds", values.rounds),
    seconds: positive("seconds", values.seconds),
    clients: positive("clients", values.clients),
    keys: positive("keys", values.keys),
    directory: values.directory,
    alone: values.alone,
  };
}

function partsOf(only: string | undefined): readonly Part[] {
  if (only === undefined) return PARTS;
  return only.split(",").map((name) => {
    const part = PARTS.find((known) => known === name);
    return part ?? refuse(`--only ${name}: there are ${PARTS.join(", ")}`);
  });
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  return refuse(`--${option} ${text}: not a positive number`);
}

/** Throws as `parseArgs` does, so that a bad value ends like an unknown option. */
function refuse(message: string): never {
  throw Object.assign(new Error(message), { code: "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" });
}
