/** What clients do in one transaction each: the workloads by which anomalies are known to show. */
import { unreachable } from "../../../engine/base/assert.ts";
import type { Mode } from "../library.ts";
import type { Access } from "../../checkers/transactions/history.ts";
import { below, between, chance, pick, type Random } from "../../random.ts";
import { type Desk, type Errand, FORK_KEYS, MANY_KEYS, nameIn, noteUse } from "./desk.ts";
import {
  append,
  increment,
  insert,
  read,
  readAll,
  record,
  remove,
  type Scribe,
  tryLock,
  write,
  type Writer,
} from "./scribe.ts";
import { scanSet } from "./sets.ts";
import { readInstants, readSnapshot } from "./snapshots.ts";
import { runRelapse, runTwins } from "./rollbacks.ts";
import { runVigil } from "./vigils.ts";

/** Some transactions think for longer than locks live. */
const LONG_THOUGHT_MS = 5000;

export function runErrand(writer: Writer, errand: Errand, mode: Mode): Promise<void> {
  if (errand === "instants") return readInstants(writer);
  if (errand === "snapshot") return readSnapshot(writer);
  if (errand === "twins") return runTwins(writer, mode);
  if (errand === "relapse") return runRelapse(writer, mode);
  if (errand === "vigil") return runVigil(writer, mode);
  return record(writer, errand, mode, (scribe) => bodyOf(scribe, errand));
}

function bodyOf(
  scribe: Scribe,
  errand: Exclude<Errand, "instants" | "snapshot" | "twins" | "relapse" | "vigil">,
): Promise<void> {
  const { writer } = scribe;
  switch (errand) {
    case "lists":
      return someSteps(scribe, writer.random, useLists);
    case "registers":
      return someSteps(scribe, writer.random, useRegisters);
    case "set":
      return useSet(scribe);
    case "fork":
      return useFork(scribe);
    case "skew":
      return useSkew(scribe, false);
    case "locking skew":
      return useSkew(scribe, true);
    case "counter":
      return useCounter(scribe);
    case "insert":
      return useUnique(scribe);
    case "many":
      return useMany(scribe);
    default:
      return unreachable(errand);
  }
}

/** Some accesses, with a long thought between them at times. */
async function someSteps(
  scribe: Scribe,
  random: Random,
  step: (scribe: Scribe, random: Random, desk: Desk) => Promise<void>,
): Promise<void> {
  const count = between(random, 1, 6);
  const thoughtAt = chance(random, 40_000) ? below(random, count) : -1;
  for (let i = 0; i < count; i++) {
    if (i === thoughtAt) await think(scribe, random);
    if (i > 0 && chance(random, 250_000)) await tryAnother(scribe, random);
    await step(scribe, random, scribe.writer.desk);
  }
}

/** Tries for a lock that it can do without, once it has one. */
async function tryAnother(scribe: Scribe, random: Random): Promise<void> {
  const { mode, accesses, writer } = scribe;
  if (!mode.options.pessimistic || !accesses.some(holdsKey)) return;
  const { lists, registers } = writer.desk;
  await tryLock(scribe, nameIn(pick(random, [lists, registers]), random));
}

const holdsKey = (access: Access): boolean => access.type !== "read" || access.locking;

const think = ({ writer }: Scribe, random: Random): Promise<void> =>
  writer.ports.clock.sleep(below(random, LONG_THOUGHT_MS), undefined);

async function useLists(scribe: Scribe, random: Random, { lists }: Desk): Promise<void> {
  const key = nameIn(lists, random);
  if (chance(random, 450_000)) {
    noteUse(lists, key);
    await append(scribe, key);
  } else if (chance(random, 150_000))
    await readAll(
      scribe,
      lists.active.map(({ name }) => name),
    );
  else await read(scribe, key, chance(random, 250_000));
}

async function useRegisters(scribe: Scribe, random: Random, { registers }: Desk): Promise<void> {
  const key = nameIn(registers, random);
  if (chance(random, 450_000)) {
    noteUse(registers, key);
    if (chance(random, 150_000)) await remove(scribe, key);
    else await write(scribe, key);
  } else if (chance(random, 150_000)) {
    await readAll(
      scribe,
      registers.active.map(({ name }) => name),
    );
  } else await read(scribe, key, chance(random, 250_000));
}

/** Adds elements to a set, takes some away, and looks at all of it. */
async function useSet(scribe: Scribe): Promise<void> {
  const { desk, random } = scribe.writer;
  const set = nameIn(desk.sets, random);
  const looksFirst = chance(random, 400_000);
  if (looksFirst) await scanSet(scribe, set);
  const count = between(random, 0, 2);
  for (let i = 0; i < count; i++) {
    const element = noteUse(desk.sets, set);
    await write(scribe, `${set}/${String(element).padStart(3, "0")}`);
  }
  const known = [...desk.keys].filter((key) => key.startsWith(`${set}/`));
  const victim = known[below(random, Math.max(1, known.length))];
  if (victim !== undefined && chance(random, 200_000)) await remove(scribe, victim);
  if (count === 0 || chance(random, 300_000)) await scanSet(scribe, set);
}

/** Writes one of some keys, each of which is written once, or reads all of them. */
async function useFork(scribe: Scribe): Promise<void> {
  const { desk, random } = scribe.writer;
  const fork = nameIn(desk.forks, random);
  if (chance(random, 500_000)) {
    await write(scribe, `${fork}/${noteUse(desk.forks, fork)}`);
    return;
  }
  const keys = Array.from({ length: FORK_KEYS }, (_, i) => `${fork}/${i}`);
  if (chance(random, 300_000)) keys.reverse();
  if (chance(random, 500_000)) await readAll(scribe, keys);
  else for (const key of keys) await read(scribe, key, false);
}

/** Reads both keys of a pair and writes one, as two doctors do who both go off duty. */
async function useSkew(scribe: Scribe, locking: boolean): Promise<void> {
  const { desk, random } = scribe.writer;
  const pool = locking ? desk.lockingSkews : desk.skews;
  const pair = nameIn(pool, random);
  const keys = [`${pair}/a`, `${pair}/b`];
  const [first, second] = chance(random, 500_000) ? keys : keys.reverse();
  if (first === undefined || second === undefined) return;
  await read(scribe, first, locking);
  await read(scribe, second, locking);
  if (chance(random, 50_000)) await think(scribe, random);
  noteUse(pool, pair);
  await write(scribe, chance(random, 500_000) ? first : second);
}

async function useCounter(scribe: Scribe): Promise<void> {
  const { desk, random } = scribe.writer;
  const key = nameIn(desk.counters, random);
  noteUse(desk.counters, key);
  await increment(scribe, key, scribe.mode.options.pessimistic || chance(random, 300_000));
}

/** Inserts a key that others insert and remove as well. */
async function useUnique(scribe: Scribe): Promise<void> {
  const { desk, random } = scribe.writer;
  const key = nameIn(desk.inserts, random);
  noteUse(desk.inserts, key);
  if (chance(random, 300_000)) await useRegisters(scribe, random, desk);
  if (chance(random, 600_000)) await insert(scribe, key);
  else await remove(scribe, key);
}

/** Writes many keys, or reads them; and tries for a lock that it can do without. */
async function useMany(scribe: Scribe): Promise<void> {
  const { desk, random } = scribe.writer;
  const many = nameIn(desk.many, random);
  const keys = Array.from({ length: MANY_KEYS }, (_, i) => `${many}/${String(i).padStart(3, "0")}`);
  if (chance(random, 400_000)) {
    await readAll(scribe, keys);
    return;
  }
  noteUse(desk.many, many);
  for (const key of keys) await write(scribe, key);
  if (chance(random, 700_000)) await tryAnother(scribe, random);
}
