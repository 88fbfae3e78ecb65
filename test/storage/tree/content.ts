/** What a log makes of the keys, by the slowest and plainest means: maps that are filled again. */
import * as assert from "uvu/assert";
import { EMPTY_KEY, Key } from "../../../engine/base/bytes.ts";
import type { Ticket } from "../../../engine/base/ids.ts";
import { COLUMN_FAMILIES } from "../../../engine/storage/types.ts";
import type { ColumnFamily } from "../../../engine/storage/types.ts";
import type { KvView } from "../../../engine/storage/view.ts";
import { bytes } from "../records.ts";

/** `family key` to value. */
export type Content = ReadonlyMap<string, string>;

export interface Op {
  readonly cf: ColumnFamily;
  readonly type: "put" | "delete" | "delete_range";
  readonly key: string;
  /** Of a range, exclusive. */
  readonly end: string;
  readonly value: string;
}

export type Event =
  | { readonly type: "entry"; readonly index: number; readonly ops: readonly Op[] }
  | { readonly type: "restore"; readonly index: number; readonly content: Content }
  | { readonly type: "destroy" };

export interface Logged {
  readonly ticket: Ticket;
  readonly region: number;
  readonly event: Event;
}

/** What the log makes of these regions, each up to the index it has applied. */
export function contentOf(
  logged: readonly Logged[],
  regions: ReadonlyMap<number, { readonly applied: number }>,
): Content {
  const content = new Map<string, string>();
  for (const [region, { applied }] of regions) {
    const events = logged.filter((other) => other.region === region).map(({ event }) => event);
    const from = events.findLastIndex(
      (event) => event.type === "restore" && event.index <= applied,
    );
    const base = events[from];
    const own = new Map<string, string>(base?.type === "restore" ? base.content : []);
    for (const event of events.slice(from + 1)) {
      if (event.type !== "entry") break;
      if (event.index <= applied) for (const op of event.ops) enter(own, op);
    }
    for (const [key, value] of own) content.set(key, value);
  }
  return content;
}

function enter(content: Map<string, string>, { cf, type, key, end, value }: Op): void {
  if (type === "put") content.set(`${cf} ${key}`, value);
  else if (type === "delete") content.delete(`${cf} ${key}`);
  else {
    for (const known of content.keys()) {
      if (known >= `${cf} ${key}` && known < `${cf} ${end}`) content.delete(known);
    }
  }
}

/** All that a view holds. */
export function readAll(view: KvView): Content {
  const found = new Map<string, string>();
  for (const cf of COLUMN_FAMILIES) {
    const cursor = view.cursor(cf, { lower: EMPTY_KEY, upper: EMPTY_KEY });
    for (cursor.seek(EMPTY_KEY); cursor.valid; cursor.next()) {
      found.set(`${cf} ${cursor.key}`, String.fromCharCode(...cursor.value));
    }
  }
  return found;
}

/** Fails unless cursor and look-ups show just what the model holds. */
export function compare(view: KvView, model: Content): void {
  const sorted = (content: Content): unknown => [...content].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.equal(sorted(readAll(view)), sorted(model));
  for (const [name, value] of model) {
    const [cf, key] = name.split(" ") as [ColumnFamily, string];
    assert.equal(view.get(cf, Key(key)), bytes(value));
  }
}
