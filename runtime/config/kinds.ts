/** The kinds of values that configuration files and flags have, and how their text is read. */
import { parseAddress } from "../network/address.ts";
import type { Address } from "../network/address.ts";
import { LEVELS } from "../log.ts";
import type { Level } from "../log.ts";

/** What each kind is once read. Sizes are bytes, durations milliseconds. */
export interface Kinds {
  readonly text: string;
  readonly texts: readonly string[];
  readonly address: Address;
  readonly size: number;
  readonly duration: number;
  readonly count: number;
  readonly flag: boolean;
  readonly level: Level;
  /** What becomes of a request that must not be carried out. */
  readonly action: "error" | "panic" | "log";
  readonly labels: readonly Label[];
}

export interface Label {
  readonly key: string;
  readonly value: string;
}

export type Kind = keyof Kinds;

/** A value, or a phrase that says what was expected, as in "must be ...". */
export type Read<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string };

const good = <T>(value: T): Read<T> => ({ ok: true, value });
const bad = (expected: string): Read<never> => ({ ok: false, expected });

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1024,
  KIB: 1024,
  MB: 1024 ** 2,
  MIB: 1024 ** 2,
  GB: 1024 ** 3,
  GIB: 1024 ** 3,
  TB: 1024 ** 4,
  TIB: 1024 ** 4,
};

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Reads a value of a configuration file or of a flag (which is always text). */
export const READERS: { readonly [K in Kind]: (value: unknown) => Read<Kinds[K]> } = {
  text: (value) => (typeof value === "string" ? good(value) : bad("a string")),
  texts: (value) => {
    const list = typeof value === "string" ? value.split(",") : value;
    const isTexts = Array.isArray(list) && list.every((item) => typeof item === "string");
    return isTexts ? good(list as readonly string[]) : bad("a list of strings");
  },
  address: (value) => {
    const address = typeof value === "string" ? parseAddress(value) : undefined;
    return address === undefined ? bad('an address as "host:port"') : good(address);
  },
  size(value) {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return good(value);
    const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(typeof value === "string" ? value : "");
    const unit = SIZE_UNITS[(match?.[2] ?? "?").toUpperCase()];
    const expected = 'a size such as "8MiB"';
    return match === null || unit === undefined
      ? bad(expected)
      : good(Math.floor(Number(match[1]) * unit));
  },
  duration(value) {
    if (typeof value !== "string" || !/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(value)) {
      return bad('a duration such as "500ms" or "1m30s"');
    }
    let total = 0;
    for (const [, number, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
      total += Number(number) * (DURATION_UNITS[unit ?? ""] ?? 0);
    }
    return good(total);
  },
  count(value) {
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isSafeInteger(number) && number >= 0
      ? good(number)
      : bad("a whole number");
  },
  flag: (value) => (typeof value === "boolean" ? good(value) : bad("true or false")),
  level: (value) => {
    const level = LEVELS.find((known) => known === value);
    return level === undefined ? bad(`one of ${LEVELS.join(", ")}`) : good(level);
  },
  action: (value) =>
    value === "error" || value === "panic" || value === "log"
      ? good(value)
      : bad('"error", "panic" or "log"'),
  labels: (value) => readLabels(value),
};

/** A table of strings, or the text `zone=a,host=b`. */
function readLabels(value: unknown): Read<readonly Label[]> {
  const expected = 'labels such as "zone=a,host=b"';
  if (typeof value === "string") {
    const labels: Label[] = [];
    for (const part of value.split(",").filter((text) => text !== "")) {
      const match = /^([^=]+)=(.*)$/.exec(part);
      if (match === null) return bad(expected);
      labels.push({ key: match[1]?.trim() ?? "", value: match[2]?.trim() ?? "" });
    }
    return good(labels);
  }
  if (typeof value !== "object" || value === null) return bad(expected);
  const entries = Object.entries(value);
  if (!entries.every(([, text]) => typeof text === "string")) return bad(expected);
  return good(entries.map(([key, text]) => ({ key, value: String(text) })));
}
