/**
 * Who wrote what: the writes that transactions asked stores for, and what their clients were told.
 * Taken from the calls and the log of the client library, so every workload of transactions is in.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { ClientEvent } from "../../engine/client/events.ts";
import {
  Op,
  type PrepareFlashbackToVersionRequest,
  type PrewriteRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";

/** What a transaction does to a key. */
export interface Intent {
  readonly type: "put" | "delete" | "lock";
  /** Of a put. */
  readonly value: Uint8Array;
}

/** A flashback writes what each key of its range was, and rolls back what had locked them since. */
export interface Rewind {
  readonly to: bigint;
  readonly start: Key;
  readonly end: Key;
}

/** Mutable: what is known of one transaction that wanted to write. */
export interface Author {
  readonly startTs: bigint;
  readonly client: string;
  /** By the user's key. */
  readonly writes: Map<Key, Intent>;
  /** Set of a flashback. */
  rewinds?: Rewind;
  told:
    | { readonly type: "nothing" }
    | { readonly type: "committed"; readonly commitTs: bigint }
    | { readonly type: "refused"; readonly reason: string };
}

/** By start timestamp. Mutable: one for each run. */
export type Authors = Map<bigint, Author>;

/** Notes what `client` asks a store for. */
export function noteCall(authors: Authors, client: string, call: TikvCall): void {
  if (call.method === "KvPrewrite") notePrewrite(authors, client, call.request);
  else if (call.method === "KvPrepareFlashbackToVersion") {
    noteRewind(authors, client, call.request);
  }
}

/** One call for each region; they come in the order of their keys. */
function noteRewind(
  authors: Authors,
  client: string,
  { startTs, version: to, startKey, endKey }: PrepareFlashbackToVersionRequest,
): void {
  const author = authorOf(authors, client, startTs);
  const { start = startKey, end = endKey } = author.rewinds ?? {};
  author.rewinds = {
    to,
    start: startKey < start ? startKey : start,
    end: endKey > end ? endKey : end,
  };
}

function notePrewrite(authors: Authors, client: string, request: PrewriteRequest): void {
  const { startVersion, mutations } = request;
  const author = authorOf(authors, client, startVersion);
  for (const { op, key, value } of mutations) {
    if (op === Op.CheckNotExists) continue;
    author.writes.set(key, { type: INTENTS.get(op) ?? "put", value });
  }
}

const INTENTS: ReadonlyMap<Op, Intent["type"]> = new Map([
  [Op.Del, "delete"],
  [Op.Lock, "lock"],
]);

/** Notes what the library tells of a commit. */
export function noteEvent(authors: Authors, client: string, event: ClientEvent): void {
  if (event.message === "committed") {
    const { startTs, commitTs } = event;
    authorOf(authors, client, startTs).told = { type: "committed", commitTs };
  } else if (event.message === "not committed" && event.reason !== "undetermined") {
    const { startTs, reason } = event;
    authorOf(authors, client, startTs).told = { type: "refused", reason };
  }
}

function authorOf(authors: Authors, client: string, startTs: bigint): Author {
  let author = authors.get(startTs);
  if (author === undefined) {
    author = { startTs, client, writes: new Map(), told: { type: "nothing" } };
    authors.set(startTs, author);
  }
  return author;
}
