/**
 * Requests and answers in words. A line is a verb, names and options:
 *
 *   prewrite @5 primary=a put:a=1 delete:b async=b     commit @5..10 a b     get a @12 rc
 *
 * Timestamps are plain, or milliseconds with a count ("100ms", "100ms+3"), or "max". `x*300` is a
 * value of 300 bytes. A mutation may end in ":exist" or ":absent", what the client believes.
 */
import { type Key, keyFromBytes } from "../../engine/base/bytes.ts";
import {
  LOGICAL_COUNT,
  MAX_TIMESTAMP,
  Timestamp,
  composeTimestamp,
  logicalOf,
  physicalOf,
} from "../../engine/base/timestamp.ts";
import {
  ActionName,
  Assertion,
  AssertionName,
  Mutation,
  Op,
  OpName,
  PessimisticLockKeyResultTypeName,
  WriteConflict_ReasonName,
} from "../../engine/protocol/gen/kvrpcpb.ts";

/** A line taken apart. */
export interface Line {
  readonly verb: string;
  /** Words without `=`, `:` or `@`: keys and switches, in their order. */
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  readonly mutations: readonly Mutation[];
  /** `@5`, or `@5..10`. */
  readonly startTs: Timestamp;
  readonly commitTs: Timestamp;
}

export function parseLine(line: string): Line {
  const [verb = "", ...tokens] = line.split(/\s+/);
  const words: string[] = [];
  const options = new Map<string, string>();
  const mutations: Mutation[] = [];
  let [startTs, commitTs] = [Timestamp(0n), Timestamp(0n)];
  for (const token of tokens) {
    const option = /^(\w+)=(.*)$/.exec(token);
    if (token.startsWith("@")) {
      const [start = "", commit] = token.slice(1).split("..");
      startTs = parseTs(start);
      commitTs = commit === undefined ? commitTs : parseTs(commit);
    } else if (/^\w+:/.test(token)) mutations.push(parseMutation(token));
    else if (option === null) words.push(token);
    else options.set(option[1]!, option[2]!);
  }
  return { verb, words, options, mutations, startTs, commitTs };
}

export function parseTs(text: string): Timestamp {
  if (text === "max") return MAX_TIMESTAMP;
  const parts = /^(\d+)ms(?:\+(\d+))?$/.exec(text);
  return parts === null
    ? Timestamp(BigInt(text))
    : composeTimestamp(Number(parts[1]), Number(parts[2] ?? 0));
}

const OPS: Readonly<Record<string, Op>> = {
  put: Op.Put,
  delete: Op.Del,
  lock: Op.Lock,
  insert: Op.Insert,
  check: Op.CheckNotExists,
  pessimistic: Op.PessimisticLock,
};

/** "put:a=1:absent" */
function parseMutation(token: string): Mutation {
  const [op = "", pair = "", belief] = token.split(":");
  const [key = "", value = ""] = pair.split("=");
  const assertion =
    belief === undefined
      ? Assertion.None
      : belief === "exist"
        ? Assertion.Exist
        : Assertion.NotExist;
  return Mutation.make({
    op: OPS[op] ?? Op.Rollback,
    key: key as Key,
    value: bytesOf(value),
    assertion,
  });
}

export function bytesOf(text: string): Uint8Array {
  const repeated = /^(.)\*(\d+)$/.exec(text);
  const whole = repeated === null ? text : repeated[1]!.repeat(Number(repeated[2]));
  return Uint8Array.from(whole, (c) => c.charCodeAt(0));
}

export function textOf(bytes: Uint8Array): string {
  const text: string = keyFromBytes(bytes);
  return text.length > 40 ? `${text.charAt(0)}*${text.length}` : text;
}

export function tsText(timestamp: bigint): string {
  if (timestamp === MAX_TIMESTAMP) return "max";
  if (timestamp < BigInt(LOGICAL_COUNT)) return String(timestamp);
  const [physical, logical] = [physicalOf(Timestamp(timestamp)), logicalOf(Timestamp(timestamp))];
  return logical === 0 ? `${physical}ms` : `${physical}ms+${logical}`;
}

const ENUMS: Readonly<Record<string, (value: number) => string>> = {
  action: ActionName,
  lockType: OpName,
  assertion: AssertionName,
  reason: WriteConflict_ReasonName,
};

/** A message's fields that say something; nothing is "ok". */
export function tell(message: object): string {
  const fields = Object.entries(message).flatMap(([name, value]) => {
    // A text that repeats what stands beside it.
    if (name === "retryable") return [];
    const text = tellField(name, value);
    return text === undefined ? [] : [text];
  });
  return fields.length === 0 ? "ok" : fields.join(", ");
}

function tellField(name: string, value: unknown): string | undefined {
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    return `${name}=[${value.map((item) => tellItem(name, item)).join(", ")}]`;
  }
  if (value instanceof Uint8Array)
    return value.length === 0 ? undefined : `${name}=${textOf(value)}`;
  if (value === undefined || value === 0 || value === 0n) return undefined;
  if (value === false || value === "") return undefined;
  if (value === true) return name;
  return `${name}=${tellItem(name, value)}`;
}

function tellItem(name: string, item: unknown): string {
  if (item instanceof Uint8Array) return textOf(item);
  if (typeof item === "bigint") return tsText(item);
  if (typeof item === "object" && item !== null) return `{${told(name, item)}}`;
  return typeof item === "number" ? (ENUMS[name]?.(item) ?? String(item)) : String(item);
}

const told = (name: string, item: object): string =>
  name === "results" && "type" in item
    ? [PessimisticLockKeyResultTypeName(Number(item.type)), tell({ ...item, type: 0 })].join(" ")
    : tell(item);
