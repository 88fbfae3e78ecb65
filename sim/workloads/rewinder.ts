/**
 * A client with keys of its own that it writes, deletes, looks at all at once, and now and then
 * takes back to what they were when it looked: by a flashback of their range, whose regions are
 * closed to everybody else meanwhile. What they are then is what they were, and what they had been
 * in between can still be read.
 */
import { type Key, keyFromBytes } from "../../engine/base/bytes.ts";
import { Backoff } from "../../engine/client/backoff.ts";
import type { Cluster } from "../../engine/client/cluster.ts";
import { rangeWithin } from "../../engine/client/cluster.ts";
import { ClientError } from "../../engine/client/errors.ts";
import type { Ports } from "../../engine/client/ports.ts";
import type { Transaction } from "../../engine/client/transaction.ts";
import type { TxnClient } from "../../engine/client/transactions.ts";
import {
  FlashbackToVersionRequest,
  PrepareFlashbackToVersionRequest,
  SplitRegionRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { passed, violated } from "../checkers/verdict.ts";
import { seededDraws } from "../decisions/decisions.ts";
import type { Client, World } from "../model.ts";
import { below, chance, MEDIAN, pick, pickWeighted, type Random } from "../random.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import { failureOf, libraryOf, type Mix, mixOf, PATIENCE } from "./library.ts";

/** What all keys held at a timestamp, as it was read. */
interface Moment {
  readonly timestamp: bigint;
  readonly held: ReadonlyMap<string, string>;
}

/** Mutable: one for each client. */
interface Rewinder {
  readonly world: World;
  readonly name: string;
  readonly ports: Ports;
  readonly cluster: Cluster;
  readonly txn: TxnClient;
  readonly mix: Mix;
  /** Of the operation under way. */
  random: Random;
  /** The keys in use, and those whose fate nobody has told, which are only read. */
  readonly keys: string[];
  readonly retired: string[];
  /** Of the keys as they are now. */
  moments: Moment[];
  lastValue: number;
  splits: number;
}

const KEYS = 6;
const MOST_SPLITS = 2;
const MOMENTS = 4;
/** Beyond 255 bytes a value does not lie beside its version. */
const LENGTHS: readonly number[] = [4, 4, 300];
const REPEATABLE = { timeoutMs: PATIENCE.timeoutMs, repeatable: true } as const;
const RETRY_MS = 100;

const rangeOf = (name: string): { readonly start: Key; readonly end: Key } => ({
  start: `bank+${name}/` as Key,
  end: `bank+${name}0` as Key,
});

export function rewinderClient(world: World, node: number, name: string, thinkUs: number): Client {
  const mix = mixOf(seededDraws(world.decisions, `client/${name}`));
  return asyncClient(world, node, name, async (ports, operate) => {
    const keys = Array.from({ length: KEYS }, (_, i) => `${rangeOf(name).start}${i}`);
    const rewinder: Rewinder = {
      world,
      name,
      ports,
      mix,
      keys,
      ...libraryOf(world, ports),
      random: MEDIAN,
      retired: [],
      moments: [],
      lastValue: 0,
      splits: 0,
    };
    await operate(thinkUs, (random) => {
      rewinder.random = random;
      return pickWeighted(random, ACTS)(rewinder);
    });
  });
}

/** Writes or deletes a few keys. */
async function change(rewinder: Rewinder): Promise<void> {
  const { world, txn, random, mix, keys } = rewinder;
  const chosen = keys.filter(() => chance(random, 400_000));
  const values = chosen.map(() => {
    rewinder.lastValue += 1;
    const value = String(rewinder.lastValue).padEnd(pick(random, LENGTHS));
    return chance(random, 300_000) ? undefined : value;
  });
  const body = async (transaction: Transaction): Promise<void> => {
    for (const [i, key] of chosen.entries()) {
      const value = values[i];
      if (value === undefined) await transaction.delete(key, PATIENCE);
      else await transaction.put(key, value, PATIENCE);
    }
  };
  const { options } = pickWeighted(random, mix);
  const failure = await failureOf(txn.transaction(body, { ...options, ...PATIENCE }));
  const isUnknown = failure?.reason === "undetermined";
  const outcome = failure === undefined ? "ok" : isUnknown ? "unknown" : "refused";
  countOutcome(world.checks.history, "change", outcome);
  if (!isUnknown) return;
  for (const key of chosen) keys[keys.indexOf(key)] = `${key}+`;
  rewinder.retired.push(...chosen);
  rewinder.moments = [];
}

/** Reads all keys as of `timestamp`, or now; undefined where that fails. */
async function look(rewinder: Rewinder, timestamp?: bigint): Promise<Moment | undefined> {
  const { world, txn, keys, retired } = rewinder;
  let moment: Moment | undefined;
  const read = async (): Promise<void> => {
    const snapshot = await txn.snapshot(timestamp, PATIENCE);
    const pairs = await snapshot.batchGet([...keys, ...retired], PATIENCE);
    const held = new Map(
      pairs.map(({ key, value }) => [keyFromBytes(key) as string, keyFromBytes(value) as string]),
    );
    moment = { timestamp: snapshot.timestamp, held };
  };
  const failure = await failureOf(read());
  countOutcome(world.checks.history, "look back", failure === undefined ? "ok" : "refused");
  return moment;
}

/** Whether it has seen how everything is now. */
async function remember(rewinder: Rewinder): Promise<boolean> {
  const moment = await look(rewinder);
  if (moment !== undefined) rewinder.moments = [...rewinder.moments, moment].slice(-MOMENTS);
  return moment !== undefined;
}

/** Takes the keys back to one of the moments, and looks at all of these again. */
async function rewind(rewinder: Rewinder): Promise<void> {
  const { world, random } = rewinder;
  // Whoever has read everything has committed what was left of its own transactions.
  if (!(await remember(rewinder))) return;
  const { moments } = rewinder;
  if (moments.length < 2) return;
  const moment = pick(random, moments.slice(0, -1));
  while ((await failureOf(flashBack(rewinder, moment.timestamp))) !== undefined) {
    await rewinder.ports.clock.sleep(RETRY_MS, undefined);
  }
  countOutcome(world.checks.history, "rewind", "ok");
  const now = await look(rewinder);
  if (now !== undefined) compare(rewinder, now, moment);
  for (const past of moments) {
    const again = await look(rewinder, past.timestamp);
    if (again !== undefined) compare(rewinder, again, past);
  }
}

/**
 * Refused where another one has come between in some region, or a split: then it is begun anew, for
 * a region that was closed is opened by nobody else.
 */
async function flashBack(rewinder: Rewinder, version: bigint): Promise<void> {
  const startTs = await insist(rewinder, () => rewinder.txn.timestamp(PATIENCE));
  await insist(rewinder, () => prepare(rewinder, startTs, version));
  await insist(rewinder, () => finish(rewinder, startTs, version));
}

/** Until it works, or is refused. */
async function insist<T>({ ports }: Rewinder, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ClientError) || error.reason === "refused") throw error;
      await ports.clock.sleep(RETRY_MS, undefined);
    }
  }
}

function prepare(rewinder: Rewinder, startTs: bigint, version: bigint): Promise<void> {
  return everywhere(rewinder, async (backoff, located, startKey, endKey) => {
    const sent = await rewinder.cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
      method: "KvPrepareFlashbackToVersion",
      request: PrepareFlashbackToVersionRequest.make({
        context,
        startKey,
        endKey,
        startTs,
        version,
      }),
    }));
    return sent.type === "moved" ? undefined : sent.response.error;
  });
}

/** At a timestamp that is drawn anew each time: a calculated one may have come before the last. */
async function finish(rewinder: Rewinder, startTs: bigint, version: bigint): Promise<void> {
  const commitTs = await rewinder.txn.timestamp(PATIENCE);
  await everywhere(rewinder, async (backoff, located, startKey, endKey) => {
    const sent = await rewinder.cluster.sendTo(backoff, located, REPEATABLE, (context) => ({
      method: "KvFlashbackToVersion",
      request: FlashbackToVersionRequest.make({
        context,
        startKey,
        endKey,
        startTs,
        commitTs,
        version,
      }),
    }));
    return sent.type === "moved" ? undefined : sent.response.error;
  });
}

type Located = Parameters<Cluster["sendTo"]>[1];

/** Does it in each region of the range; undefined asks for the region anew, a text is a refusal. */
async function everywhere(
  { name, ports, cluster }: Rewinder,
  act: (backoff: Backoff, at: Located, start: Key, end: Key) => Promise<string | undefined>,
): Promise<void> {
  const { start, end } = rangeOf(name);
  const backoff = new Backoff(ports, PATIENCE.timeoutMs, undefined);
  for (let from = start; from < end;) {
    const located = await cluster.locate(backoff, from);
    const { lower, upper } = rangeWithin(located, from, end);
    const problem = await act(backoff, located, lower, upper);
    if (problem === undefined) continue;
    if (problem !== "") throw new ClientError("refused", problem);
    from = upper;
  }
}

function compare({ world, name, keys }: Rewinder, found: Moment, wanted: Moment): void {
  for (const key of keys) {
    const [seen, was] = [found.held.get(key), wanted.held.get(key)];
    if (seen === was) continue;
    const text = (value: string | undefined): string => value?.trim() ?? "nothing";
    violated(
      world,
      "flashbacks",
      `${name} reads ${text(seen)} under ${key} at ${found.timestamp}, where there was ` +
        `${text(was)} at ${wanted.timestamp}, to which it was taken back`,
    );
    return;
  }
  passed(world, "flashbacks");
}

/** Has the range divided between regions. */
async function divide(rewinder: Rewinder): Promise<void> {
  const { world, name, ports, cluster, random } = rewinder;
  if (rewinder.splits >= MOST_SPLITS) return;
  const key = `${rangeOf(name).start}${below(random, KEYS)}` as Key;
  const backoff = new Backoff(ports, PATIENCE.timeoutMs, undefined);
  const sent = cluster.send(backoff, key, REPEATABLE, (context) => ({
    method: "SplitRegion",
    request: SplitRegionRequest.make({ context, splitKeys: [key] }),
  }));
  const failure = await failureOf(sent);
  countOutcome(world.checks.history, "split", failure === undefined ? "ok" : "unknown");
  if (failure === undefined) rewinder.splits += 1;
}

const ACTS = [
  [8, change],
  [5, async (rewinder: Rewinder): Promise<void> => void (await remember(rewinder))],
  [2, rewind],
  [1, divide],
] as const;
