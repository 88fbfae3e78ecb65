/**
 * Clients with keys of their own, which they write, delete and look at, again and again, while
 * others collect old versions: nothing comes back from the dead.
 */
import { keyFromBytes } from "../../engine/base/bytes.ts";
import type { Transaction } from "../../engine/client/transaction.ts";
import type { TxnClient } from "../../engine/client/transactions.ts";
import { passed, violated } from "../checkers/verdict.ts";
import type { Client, World } from "../model.ts";
import { seededDraws } from "../decisions/decisions.ts";
import { MEDIAN, pick, pickWeighted, type Random } from "../random.ts";
import { asyncClient } from "./async-client.ts";
import { countOutcome } from "./history.ts";
import { failureOf, libraryOf, type Mix, mixOf, PATIENCE, READERS } from "./library.ts";

/** A key, and what it may hold: 0 is nothing. Mutable. */
interface Grave {
  readonly key: string;
  may: Set<number>;
}

interface Digger {
  readonly world: World;
  readonly name: string;
  readonly txn: TxnClient;
  /** Of the operation under way. */
  random: Random;
  readonly mix: Mix;
  lastValue: number;
}

/** Some keys are deleted long before they are looked at again. */
const GRAVES = 24;
/** Beyond 255 bytes a value does not lie beside its version. */
const LENGTHS: readonly number[] = [1, 1, 40, 300];

export function graveClient(world: World, node: number, name: string, thinkUs: number): Client {
  const mix = mixOf(seededDraws(world.decisions, `client/${name}`));
  return asyncClient(world, node, name, async (ports, operate) => {
    const { txn } = libraryOf(world, ports);
    const digger: Digger = { world, name, txn, random: MEDIAN, mix, lastValue: 0 };
    const graves = Array.from({ length: GRAVES }, (_, i): Grave => {
      return { key: `grave/${name}/${String(i).padStart(2, "0")}`, may: new Set([0]) };
    });
    await operate(thinkUs, (random) => {
      digger.random = random;
      const act = pickWeighted(random, ACTS);
      return act(digger, pick(random, graves));
    });
  });
}

const write = (digger: Digger, grave: Grave): Promise<void> => {
  digger.lastValue += 1;
  const { lastValue } = digger;
  const value = String(lastValue).padEnd(pick(digger.random, LENGTHS));
  return change(digger, grave, lastValue, (transaction) => transaction.put(grave.key, value));
};

const bury = (digger: Digger, grave: Grave): Promise<void> =>
  change(digger, grave, 0, (transaction) => transaction.delete(grave.key));

async function change(
  { world, txn, random, mix }: Digger,
  grave: Grave,
  value: number,
  body: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const { options } = pickWeighted(random, mix);
  const failure = await failureOf(txn.transaction(body, { ...options, ...PATIENCE }));
  const isUnknown = failure?.reason === "undetermined";
  const kind = value === 0 ? "bury" : "write a grave";
  const outcome = failure === undefined ? "ok" : isUnknown ? "unknown" : "refused";
  countOutcome(world.checks.history, kind, outcome);
  // What was unknown before is over: it happened below this write, or finds it and fails.
  if (failure === undefined) grave.may = new Set([value]);
  else if (isUnknown) grave.may.add(value);
}

async function visit({ world, name, txn, random }: Digger, { key, may }: Grave): Promise<void> {
  let seen = 0;
  const look = async (): Promise<void> => {
    const snapshot = await txn.snapshot(undefined, {
      ...pickWeighted(random, READERS),
      ...PATIENCE,
    });
    const value = await snapshot.get(key, PATIENCE);
    seen = value === undefined ? 0 : Number(keyFromBytes(value));
  };
  const failure = await failureOf(look());
  countOutcome(world.checks.history, "visit a grave", failure === undefined ? "ok" : "refused");
  if (failure !== undefined) return;
  if (may.has(seen)) return passed(world, "graves");
  const told = (value: number): string => (value === 0 ? "nothing" : String(value));
  const expected = [...may].map(told).join(" or ");
  violated(world, "graves", `${name} finds ${told(seen)} under ${key}, which holds ${expected}`);
}

const ACTS = [
  [4, write],
  [3, bury],
  [5, visit],
] as const;
