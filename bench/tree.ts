/**
 * The persistent B+tree against the mutable one of npm's `sorted-btree`, and against a `Map` whose
 * keys are sorted when the order is asked for. Keys are 24 random bytes. Keys are made before the
 * clock starts, anew for each round: no structure sees strings that another one has warmed up.
 *
 * Options: `--entries N` (may be repeated), `--rounds N`, `--prefix N` (leading bytes that all keys
 * share), `--only TEXT` (contestants whose name contains it), `--json`.
 *
 * The peer's answer to a snapshot is `clone()`: constant time, after which it copies what it
 * touches.
 */
import { parseArgs } from "node:util";
import BTreeModule from "sorted-btree";
import { writeU32 } from "../engine/base/big-endian.ts";
import type { Key } from "../engine/base/bytes.ts";
import { keyFromBytes } from "../engine/base/bytes.ts";
import { next, seeded } from "../engine/base/prng.ts";
import * as tree from "../engine/base/tree.ts";
import type { Tree } from "../engine/base/tree.ts";
import { heapBytes, measure, printTable } from "./measure.ts";
import type { Contestant, Figure } from "./measure.ts";

export const name = "tree";
export const summary = "the persistent B+tree against sorted-btree and Map + sort";

const BTree = BTreeModule.default;
type Peer = InstanceType<typeof BTree<Key, Uint8Array>>;

const KEY_BYTES = 24;
const BATCH = 100;
/** Snapshots held at a time; older ones are let go, as a store does. */
const SNAPSHOTS = 16;
/** So many operations warm the code up by themselves. */
const MANY = 1_000_000;
const VALUE = new Uint8Array(8);

const compare = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0);

export const options = {
  entries: { type: "string", multiple: true, argument: "N", help: "size; may be said again" },
  rounds: { type: "string", default: "3", argument: "N", help: "rounds that count" },
  prefix: { type: "string", default: "0", argument: "N", help: "bytes that all keys share" },
  only: { type: "string", default: "", argument: "TEXT", help: "contestants named so in part" },
  json: { type: "boolean", default: false, help: "figures as JSON" },
} as const;

/** Entries of the trees unless told. */
const SIZES: readonly string[] = ["50000", "1000000"];

export function run(args: readonly string[]): void {
  const { values } = parseArgs({ args: [...args], options });
  for (const entries of values.entries ?? SIZES) {
    const keys = randomKeys(Number(entries), Number(values.prefix));
    const memory = memoryPerEntry(keys);
    const chosen = contestants(keys).filter(({ name: title }) => title.includes(values.only));
    const figures = measure(chosen, Number(values.rounds), keys.length < MANY ? 3 : 0);
    if (values.json) console.log(JSON.stringify({ entries: Number(entries), figures, memory }));
    else print(Number(entries), figures, memory);
  }
}

/** `count` distinct keys as bytes, the first `prefix` of which are the same in all. */
function randomKeys(count: number, prefix: number): Uint8Array[] {
  let prng = seeded("bench tree");
  return Array.from({ length: count }, () => {
    const bytes = new Uint8Array(KEY_BYTES);
    for (let i = 0; i < KEY_BYTES; i += 4) {
      const draw = next(prng);
      prng = draw.prng;
      writeU32(draw.value, bytes, i);
    }
    return bytes.fill(7, 0, prefix);
  });
}

const PEER = "sorted-btree, insert";

function contestants(bytes: readonly Uint8Array[]): Contestant[] {
  const fresh = (): Key[] => bytes.map(keyFromBytes);
  const inserting = (title: string, insert: (keys: Key[]) => unknown): Contestant => ({
    name: title,
    prepare: () => {
      const keys = fresh();
      return () => ({ operations: keys.length, result: insert(keys) });
    },
  });
  const reading = (title: string, make: (keys: Key[]) => (keys: Key[]) => number): Contestant => ({
    name: title,
    prepare: () => {
      const read = make(fresh());
      const keys = fresh();
      const passes = Math.ceil(MANY / keys.length);
      return () => {
        for (let pass = 0; pass < passes; pass++) {
          if (read(keys) !== keys.length) throw new Error(`${title}: an entry is missing`);
        }
        return { operations: keys.length * passes };
      };
    },
  });
  return [
    inserting("tree, insert", insertInOneEdit),
    inserting(PEER, insertInPeer),
    inserting("Map, insert, then sort", insertInMap),
    inserting("tree, insert in edits of 100", (keys) => insertInEdits(keys, false)),
    inserting("tree, insert, snapshot every 100", (keys) => insertInEdits(keys, true)),
    inserting("sorted-btree, insert, clone every 100", insertInPeerCloned),
    inserting("tree, insert by single sets", insertBySets),
    reading("tree, get", (made) => {
      const full = insertInOneEdit(made);
      return (keys) => count(keys, (key) => tree.get(full, key) === VALUE);
    }),
    reading("sorted-btree, get", (made) => {
      const full = insertInPeer(made);
      return (keys) => count(keys, (key) => full.get(key) === VALUE);
    }),
    reading("Map, get", (made) => {
      const full = insertInMap(made).map;
      return (keys) => count(keys, (key) => full.get(key) === VALUE);
    }),
    reading("tree, iterate with a cursor", (made) => iterateTree(insertInOneEdit(made))),
    reading("sorted-btree, iterate with forEach", (made) => iteratePeer(insertInPeer(made))),
  ];
}

function insertInOneEdit(keys: readonly Key[]): Tree<Uint8Array> {
  const edit = tree.edit(tree.empty<Uint8Array>());
  for (const key of keys) edit.set(key, VALUE);
  return edit.done();
}

function insertInEdits(keys: readonly Key[], keep: boolean): unknown {
  let current = tree.empty<Uint8Array>();
  const snapshots: Tree<Uint8Array>[] = [];
  for (let from = 0; from < keys.length; from += BATCH) {
    const edit = tree.edit(current);
    const to = Math.min(from + BATCH, keys.length);
    for (let i = from; i < to; i++) edit.set(keys[i]!, VALUE);
    current = edit.done();
    if (keep) snapshots[(from / BATCH) % SNAPSHOTS] = current;
  }
  return [current, snapshots];
}

function insertBySets(keys: readonly Key[]): unknown {
  let current = tree.empty<Uint8Array>();
  for (const key of keys) current = tree.set(current, key, VALUE);
  return current;
}

function insertInPeer(keys: readonly Key[]): Peer {
  const peer = new BTree<Key, Uint8Array>(undefined, compare);
  for (const key of keys) peer.set(key, VALUE);
  return peer;
}

function insertInPeerCloned(keys: readonly Key[]): unknown {
  const peer = new BTree<Key, Uint8Array>(undefined, compare);
  const snapshots: unknown[] = [];
  for (let i = 0; i < keys.length; i++) {
    peer.set(keys[i]!, VALUE);
    if (i % BATCH === BATCH - 1) snapshots[Math.floor(i / BATCH) % SNAPSHOTS] = peer.clone();
  }
  return [peer, snapshots];
}

function insertInMap(keys: readonly Key[]): { map: Map<Key, Uint8Array>; sorted: Key[] } {
  const map = new Map<Key, Uint8Array>();
  for (const key of keys) map.set(key, VALUE);
  return { map, sorted: [...map.keys()].sort(compare) };
}

function count(keys: readonly Key[], found: (key: Key) => boolean): number {
  let hits = 0;
  for (const key of keys) if (found(key)) hits += 1;
  return hits;
}

function iterateTree(full: Tree<Uint8Array>): () => number {
  return () => {
    let seen = 0;
    for (const cursor = tree.first(full); cursor.valid; cursor.next()) {
      if (cursor.key.length === KEY_BYTES && cursor.value === VALUE) seen += 1;
    }
    return seen;
  };
}

function iteratePeer(full: Peer): () => number {
  return () => {
    let seen = 0;
    full.forEachPair((key, value) => {
      if (key.length === KEY_BYTES && value === VALUE) seen += 1;
    });
    return seen;
  };
}

interface Memory {
  readonly name: string;
  readonly bytesPerEntry: number;
}

/** Heap of a structure without its keys: both hold the same strings. */
function memoryPerEntry(bytes: readonly Uint8Array[]): Memory[] {
  const keys = bytes.map(keyFromBytes);
  const cases: [string, () => unknown][] = [
    ["tree", () => insertInOneEdit(keys)],
    ["tree, built in edits of 100", () => insertInEdits(keys, false)],
    ["sorted-btree", () => insertInPeer(keys)],
    ["Map", () => insertInMap(keys).map],
  ];
  return cases.map(([title, make]) => ({
    name: title,
    bytesPerEntry: heapBytes(make) / keys.length,
  }));
}

/** What is divided by what, and the most that is allowed. */
const RATIOS: readonly (readonly [ours: string, peer: string, target: number | undefined])[] = [
  ["tree, insert", PEER, 1.5],
  ["tree, insert, snapshot every 100", PEER, 1.5],
  ["tree, insert, snapshot every 100", "tree, insert in edits of 100", undefined],
  ["tree, insert, snapshot every 100", "sorted-btree, insert, clone every 100", undefined],
  ["tree, insert", "Map, insert, then sort", undefined],
  ["tree, get", "sorted-btree, get", undefined],
  ["tree, get", "Map, get", undefined],
  ["tree, iterate with a cursor", "sorted-btree, iterate with forEach", undefined],
];

function print(entries: number, figures: readonly Figure[], memory: readonly Memory[]): void {
  console.log(`\n${entries} entries, ${KEY_BYTES}-byte keys; medians for one operation`);
  printTable(
    ["", "CPU us", "wall us"],
    figures.map((figure) => [figure.name, figure.cpuUs.toFixed(3), figure.wallUs.toFixed(3)]),
  );
  console.log("\nbytes of heap for one entry, without key and value");
  printTable(
    ["", "bytes"],
    memory.map((one) => [one.name, one.bytesPerEntry.toFixed(0)]),
  );
  console.log("\nratios of CPU time (below 1: ours is faster)");
  const cpuOf = (title: string): number =>
    figures.find((figure) => figure.name === title)?.cpuUs ?? Number.NaN;
  printTable(
    ["ours", "over", "ratio", "target", ""],
    RATIOS.filter(([ours, peer]) => cpuOf(ours) > 0 && cpuOf(peer) > 0).map(
      ([ours, peer, target]) => {
        const ratio = cpuOf(ours) / cpuOf(peer);
        const met = target === undefined ? "" : ratio <= target ? "met" : "MISSED";
        return [ours, peer, ratio.toFixed(2), target === undefined ? "-" : `<= ${target}`, met];
      },
    ),
  );
}
