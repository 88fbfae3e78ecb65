/**
 * A life of a world out of a list of numbers, and the peace at its end.
 */
import type { Key } from "../../../engine/base/bytes.ts";
import { ScanLockRequest } from "../../../engine/protocol/gen/kvrpcpb.ts";
import { read, transact } from "./client.ts";
import { violationsOf } from "./invariants.ts";
import { resolve } from "./resolver.ts";
import type { Part, Plan, WriteKind } from "./types.ts";
import { type Fate, KEYS, World } from "./world.ts";

const KINDS: readonly WriteKind[] = ["put", "long", "delete", "lock", "insert", "put"];
const COMMITS: readonly Plan["commit"][] = ["two_phase", "async", "one_phase", "async"];
/** So often is every lock looked at in the end. */
const ROUNDS = 20;

/** What happens, to or by which one, and how. */
export type Choice = readonly [number, number, number];

/** The world that `choices` make, and what is wrong with it. */
export function lifeOf(choices: readonly Choice[]): {
  readonly world: World;
  readonly violations: readonly string[];
} {
  const world = new World();
  for (const [what, which, how] of choices) happen(world, what, which, how);
  makePeace(world);
  return { world, violations: [...violationsOf(world)] };
}

function happen(world: World, what: number, which: number, how: number): void {
  const kind = what % 32;
  if (kind < 3) world.enter(transact(world, planOf(which, how), how % 2 === 0));
  else if (kind < 5) enterReader(world, which, how);
  else if (kind === 5) world.losePessimisticLocks(which);
  else if (kind === 6) world.changeLeader(which);
  else if (kind < 10) world.repeat(which * 256 + how);
  else if (world.isBusy) world.step(which, fateOf(kind, how));
}

/** Mostly, a request is answered. */
function fateOf(kind: number, how: number): Fate {
  if (kind < 28) return "answered";
  if (kind === 28) return "answer_lost";
  return kind < 31 || how % 4 > 0 ? "delayed" : "sender_dies";
}

function planOf(which: number, how: number): Plan {
  const writes = new Map<Key, WriteKind>();
  const count = 1 + (which % 3);
  for (let i = 0; i < count; i++) {
    const key = KEYS[(which + i * (1 + (how % 3))) % KEYS.length]!;
    writes.set(key, KINDS[(which + how + i) % KINDS.length]!);
  }
  const isPessimistic = how % 4 === 1;
  if (isPessimistic) {
    // Inserting is checked when the lock is taken; here, nobody asks.
    for (const [key, kind] of writes) if (kind === "insert") writes.set(key, "put");
  }
  // The primary key is always locked; others may be written blindly.
  const locked = [...writes.keys()].filter((_, i) => i === 0 || (how >> (i + 3)) % 2 === 0);
  // Some lock what they will not write.
  if (which % 5 === 0) locked.push(KEYS[how % KEYS.length]!);
  return {
    writes,
    commit: COMMITS[(how >> 2) % COMMITS.length]!,
    locks: isPessimistic ? new Set(locked) : undefined,
    isSplit: (which >> 3) % 2 === 1,
    reach: which % 7 === 0 ? 3n : 0n,
  };
}

function enterReader(world: World, which: number, how: number): void {
  const now = world.tso();
  const back = BigInt(how % 8);
  const readTs = how % 3 === 0 && now > back ? now - back : now;
  const shape = (["get", "scan", "reverse"] as const)[which % 3]!;
  world.enter(read(world, KEYS[which % KEYS.length]!, readTs, shape, how % 2 === 0));
}

/** Resolves every lock, as collecting garbage does. */
function makePeace(world: World): void {
  for (let round = 0; round < ROUNDS; round++) {
    const left = world.finish(resolveAll(world));
    if (left === 0) return;
  }
  world.violations.push("locks that nobody can resolve are left");
}

function* resolveAll(world: World): Part<number> {
  let count = 0;
  for (const key of [KEYS[0]!, KEYS.at(-1)!]) {
    const request = ScanLockRequest.make({ maxVersion: world.tso() });
    const reply = yield { key, call: { method: "KvScanLock", request } };
    const locks = reply?.method === "KvScanLock" ? reply.response.locks : [];
    count += locks.length;
    for (const lock of locks) yield* resolve(world, lock, 0n, true);
  }
  return count;
}
