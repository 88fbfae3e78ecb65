/** Reads outside of transactions: of now, of instants in the past, and of the clock alone. */
import type { Snapshot } from "../../../engine/client/snapshot.ts";
import type { Read } from "../../checkers/transactions/history.ts";
import { below, between, chance, pick, pickWeighted } from "../../random.ts";
import { countOutcome } from "../history.ts";
import { failureOf, PATIENCE, READERS } from "../library.ts";
import { FORK_KEYS, nameIn } from "./desk.ts";
import type { Errand } from "./desk.ts";
import { readsOf, type Writer } from "./scribe.ts";
import { collect, rangeOf, scanned } from "./sets.ts";

/** Reads some keys of everything as of one instant, at times a past one, by any replica. */
export async function readSnapshot(writer: Writer): Promise<void> {
  const { desk, txn, random } = writer;
  const begin = desk.world.timeUs;
  const { instants } = desk;
  const stale = instants.length > 0 && chance(random, 300_000);
  // Mostly a recent one: its neighbours are still at work.
  const back = chance(random, 500_000) ? 10 : instants.length;
  const at = stale
    ? instants[instants.length - 1 - below(random, Math.min(back, instants.length))]
    : undefined;
  const isolation = !stale && chance(random, 200_000) ? "read_committed" : "snapshot";
  const reads: Read[] = [];
  let snapshot: Snapshot | undefined;
  const run = async (): Promise<void> => {
    snapshot = await txn.snapshot(at, {
      ...pickWeighted(random, READERS),
      ...PATIENCE,
      isolation,
    });
    const set = nameIn(desk.sets, random);
    if (chance(random, 300_000)) {
      reads.push(...scanned(desk, set, await collect(snapshot, rangeOf(set, random))));
      return;
    }
    const fork = nameIn(desk.forks, random);
    const keys = [
      ...desk.lists.active.map(({ name }) => name),
      ...desk.registers.active.map(({ name }) => name),
      ...desk.counters.active.map(({ name }) => name),
      ...Array.from({ length: FORK_KEYS }, (_, i) => `${fork}/${i}`),
      `${nameIn(desk.skews, random)}/a`,
    ];
    reads.push(...readsOf(keys, await snapshot.batchGet(keys, PATIENCE)));
  };
  const failure = await failureOf(run());
  const kind = isolation === "snapshot" ? "snapshot" : "read committed";
  countOutcome(desk.world.checks.history, kind, failure === undefined ? "ok" : "refused");
  if (failure !== undefined || snapshot === undefined) return;
  if (isolation === "read_committed") {
    writer.count += 1;
    const name = `${writer.name}/${writer.count}`;
    desk.looks.push({ name, begin, end: desk.world.timeUs, timestamp: snapshot.timestamp, reads });
    return;
  }
  note(writer, "snapshot", { begin, startTs: snapshot.timestamp, stale, reads });
}

/** Asks for some timestamps, one after another. */
export async function readInstants(writer: Writer): Promise<void> {
  const { desk, txn, random } = writer;
  const count = pick(random, [2, between(random, 2, 6)]);
  for (let i = 0; i < count; i++) {
    const begin = desk.world.timeUs;
    let startTs = 0n;
    const run = async (): Promise<void> => {
      startTs = await txn.timestamp(PATIENCE);
    };
    const failure = await failureOf(run());
    countOutcome(desk.world.checks.history, "instants", failure === undefined ? "ok" : "refused");
    if (failure !== undefined) return;
    note(writer, "instants", { begin, startTs, stale: false, reads: [] });
  }
}

interface Look {
  readonly begin: number;
  readonly startTs: bigint;
  readonly stale: boolean;
  readonly reads: readonly Read[];
}

function note(writer: Writer, errand: Errand, { begin, startTs, stale, reads }: Look): void {
  const { desk, name } = writer;
  writer.count += 1;
  desk.history.push({
    name: `${name}/${writer.count}`,
    client: name,
    begin,
    end: desk.world.timeUs,
    asked: Infinity,
    outcome: "ok",
    startTs,
    commitTs: undefined,
    pessimistic: false,
    stale,
    accesses: reads,
    errand,
    how: "",
    reason: "",
  });
  if (!stale) desk.instants.push(startTs);
}
