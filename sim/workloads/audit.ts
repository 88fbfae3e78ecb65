/**
 * The last client of a run: once the cluster has converged it writes a probe into every region,
 * asks for a timestamp, and reads the whole key space through the API. What it sees goes into the
 * histories, and every acknowledged insert must be among it.
 */
import type { Key } from "../../engine/base/bytes.ts";
import type { Region } from "../../engine/protocol/gen/metapb.ts";
import type { TikvReply } from "../../engine/protocol/services.ts";
import type { Client, Outcome, World } from "../model.ts";
import type { Random } from "../random.ts";
import type { Record } from "./history.ts";
import type { Inserts } from "./inserts.ts";
import type { Result } from "./session.ts";
import { EMPTY_KEY, hex, inRange, keyAfter } from "../../engine/base/bytes.ts";
import { RawScanRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { passed, violated } from "../checkers/verdict.ts";
import { schedule } from "../event-queue.ts";
import { PROBE_PUTS, slowness } from "../liveness/pace.ts";
import { freshValue, invoke } from "./history.ts";
import * as requests from "./requests.ts";
import { begin, onAnswer, onPause, sessionOf } from "./session.ts";
import { valueId } from "./value.ts";

/** Tells how far the audit has come. Mutable. */
export interface Audit {
  readonly client: Client;
  /** What it does now, for the story of a run that ends before it is done. */
  doing: string;
  done: boolean;
  readonly seen: Map<Key, number>;
}

/** It writes to every region, reads everything, and at last sees how fast writes are. */
type Task = "probe" | "scan" | "pace";

const WORDS: { readonly [What in Task]: string } = {
  probe: "probes",
  scan: "scans",
  pace: "writes again and again to",
};

const NEXT = -1;
const PAGE = 500;
const RETRY_US = 200_000;

export function auditOf(world: World, node: number, random: Random): Audit {
  const client: Client = {
    node,
    name: "auditor",
    leader: 0,
    start: () => step(EMPTY_KEY, "probe"),
    wake: (tag) => {
      if (onPause(session, tag)) return;
      if (tag === NEXT) step(cursor, task);
    },
    answered: (tag: number, outcome: Outcome) => void onAnswer(session, tag, outcome),
  };
  const session = sessionOf(world, () => client);
  const audit: Audit = { client, doing: "starts", done: false, seen: new Map() };
  let cursor: Key = EMPTY_KEY;
  let task: Task = "probe";
  /** Of the pace: when it began, how many puts are done, and what was wrong with the one before. */
  let pacedSinceUs = 0;
  let puts = 0;
  let tooSlow: string | undefined;

  /** Goes on at `from`, unless the key space is through. */
  const step = (from: Key, what: Task): void => {
    cursor = from;
    task = what;
    audit.doing = tooSlow ?? `${WORDS[what]} the region of key "${hex(from)}"`;
    if (what === "scan") scan(from);
    else probe(from);
  };

  const again = (): void =>
    schedule(world.queue, world.timeUs + RETRY_US, { type: "wake", client, tag: NEXT });

  /** A put at the start of each region must go through. */
  const probe = (from: Key): void => {
    let end: Key = EMPTY_KEY;
    const key = from === EMPTY_KEY ? ("\0probe" as Key) : from;
    const value = freshValue(world.checks.history);
    let record: Record | undefined;
    begin(session, random, {
      key,
      writes: true,
      anyReplica: false,
      prepare: (region, context) => {
        end = region.endKey;
        record ??= invoke(world.checks.history, key, {
          client: client.name,
          type: "write",
          value,
          start: (world.nextOrder += 1),
          startUs: world.timeUs,
        });
        return requests.single("put", key, context, value, 0, world.knobs.valueBytes);
      },
      done(result) {
        if (record !== undefined) close(record, result);
        if (result.type !== "reply") return again();
        passed(world, "convergence");
        if (task === "pace") onPut();
        else if (end === EMPTY_KEY) step(EMPTY_KEY, "scan");
        else step(end, "probe");
      },
    });
  };

  const keepPace = (): void => {
    pacedSinceUs = world.timeUs;
    puts = 0;
    step(EMPTY_KEY, "pace");
  };

  /** One put of the pace is done. */
  const onPut = (): void => {
    puts += 1;
    if (puts < PROBE_PUTS) return step(EMPTY_KEY, "pace");
    tooSlow = slowness(world, world.timeUs - pacedSinceUs);
    if (tooSlow === undefined) audit.done = true;
    else keepPace();
  };

  const close = (record: Record, result: Result): void => {
    if (result.type === "unknown") return;
    record.end = world.nextOrder += 1;
    record.endUs = world.timeUs;
    record.refused = result.type === "refused";
  };

  const scan = (from: Key): void => {
    let asked: Region | undefined;
    let start = 0;
    begin(session, random, {
      key: from,
      writes: false,
      anyReplica: false,
      prepare: (region, context) => {
        asked = region;
        start = world.nextOrder += 1;
        const request = RawScanRequest.make({
          context,
          startKey: from,
          endKey: region.endKey,
          limit: PAGE,
        });
        return { method: "RawScan", request };
      },
      done(result) {
        if (result.type !== "reply" || asked === undefined) return again();
        const end = takePage(from, asked, result.reply, start);
        if (end !== EMPTY_KEY) step(end, "scan");
        else keepPace();
      },
    });
  };

  /** Enters a page into the histories; returns where the next one begins. */
  const takePage = (from: Key, region: Region, reply: TikvReply, start: number): Key => {
    const pairs = reply.method === "RawScan" ? reply.response.kvs : [];
    const last = pairs.length < PAGE ? undefined : pairs.at(-1)?.key;
    const end = last === undefined ? region.endKey : keyAfter(last);
    const found = new Map<Key, number>();
    for (const pair of pairs) {
      const value = valueId(pair.value);
      if (value === undefined) {
        violated(world, "answers", `a scan finds a value at "${hex(pair.key)}" that nobody wrote`);
      }
      found.set(pair.key, value ?? 0);
      audit.seen.set(pair.key, value ?? 0);
    }
    const order = (world.nextOrder += 1);
    for (const key of world.checks.history.keys.keys()) {
      if (!inRange(key, from, end)) continue;
      const record = invoke(world.checks.history, key, {
        client: client.name,
        type: "read",
        start,
        startUs: world.timeUs,
      });
      record.seen = found.get(key) ?? 0;
      record.end = order;
      record.endUs = world.timeUs;
    }
    return end;
  };
  return audit;
}

/** Durability: every acknowledged insert is there, and nothing is that was not asked for. */
export function checkInserts(world: World, audit: Audit, inserts: Inserts): void {
  for (const [key, value] of inserts.acknowledged) {
    passed(world, "durability");
    const seen = audit.seen.get(key);
    if (seen === value) continue;
    const now = seen === undefined ? "is gone" : `holds value ${seen}`;
    violated(
      world,
      "durability",
      `key ${key} was put with value ${value} and acknowledged; it ${now}`,
    );
    return;
  }
  for (const [key, value] of audit.seen) {
    if (!key.startsWith("s/") || inserts.acknowledged.has(key)) continue;
    if (inserts.unknown.get(key) === value) continue;
    if (world.checks.history.keys.has(key)) continue;
    violated(world, "durability", `key ${key} holds value ${value}, which nobody put there`);
    return;
  }
}
