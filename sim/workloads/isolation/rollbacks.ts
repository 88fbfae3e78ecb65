/** Errands of several transactions each, by whose rollbacks some record could be lost. */
import type { Mode } from "../library.ts";
import { chance, pick } from "../../random.ts";
import { type Errand, nameIn, noteUse, type Pool } from "./desk.ts";
import { read, record, write, type Writer } from "./scribe.ts";

/** Ways of committing that calculate the timestamp. */
const CALCULATED = [
  { asyncCommit: true, onePC: false },
  { asyncCommit: false, onePC: true },
] as const;

/**
 * Transactions whose timestamps meet. A commit timestamp that is calculated is the one after a
 * timestamp that is drawn before, and may be given to somebody: the elder then commits at the
 * timestamp at which the younger begins. The younger is refused for another key and rolled back, so
 * that its record belongs in the very place where the elder's commit lies.
 */
export async function runTwins(writer: Writer, drawn: Mode): Promise<void> {
  const mode = calculated(drawn, pick(writer.random, CALCULATED));
  const name = takeName(writer, writer.desk.twins);
  const isCommitting = gate();
  const isOver = gate();
  const elder = record(writer, "twins", mode, async (scribe) => {
    await write(scribe, name);
    isCommitting.open();
  });
  const ended = elder.then(isCommitting.open).then(isOver.open);
  await isCommitting.passed;
  await Promise.all([ended, fail(writer, "twins", mode, name, isOver.passed)]);
}

/** Locks of this life are over before a call that is held for long comes. */
const SHORT_TTL_MS = 300;
/** A transaction that takes longer waits for something that was held. */
const LONG_MS = 500;

/**
 * A transaction whose primary's prewrite may come late: by then whoever read its other key has
 * rolled it back, and others have failed on the primary, each leaving a record there that may take
 * the place of the one before. Something must still refuse the prewrite, for half of the
 * transaction is gone.
 */
export async function runRelapse(writer: Writer, drawn: Mode): Promise<void> {
  const { desk, random, ports } = writer;
  const how = { asyncCommit: chance(random, 500_000), onePC: false };
  const mode = calculated(drawn, how);
  const short: Mode = { ...mode, options: { ...mode.options, lockTtlMs: SHORT_TTL_MS } };
  const name = takeName(writer, desk.relapses);
  const far = `then ${name}`;
  let isOver = false;
  const first = record(writer, "relapse", short, async (scribe) => {
    await write(scribe, name);
    await write(scribe, far);
  }).then(() => {
    isOver = true;
  });
  await ports.clock.sleep(LONG_MS, undefined);
  if (!isOver) {
    await record(writer, "relapse", mode, async (scribe) => void (await read(scribe, far, false)));
    for (let i = 0; i < 2; i++) await fail(writer, "relapse", mode, name, undefined);
  }
  await first;
}

/**
 * Begins a transaction, and another when `until` has passed, which writes what the first one is
 * then refused. Their keys lie far apart: in two regions the first one locks `name` before.
 */
function fail(
  writer: Writer,
  errand: Errand,
  mode: Mode,
  name: string,
  until: Promise<void> | undefined,
): Promise<void> {
  const other = `with ${name}`;
  return record(writer, errand, mode, async (scribe) => {
    await until;
    await record(writer, errand, mode, (winner) => write(winner, other));
    await write(scribe, name);
    await write(scribe, other);
  });
}

const calculated = (
  { options }: Mode,
  how: { readonly asyncCommit: boolean; readonly onePC: boolean },
): Mode => ({
  how: "optimistic, of several",
  options: { ...options, pessimistic: false, ...how },
});

function takeName({ random }: Writer, pool: Pool): string {
  const name = nameIn(pool, random);
  noteUse(pool, name);
  return name;
}

/** Whoever waits goes on when it is opened. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}
