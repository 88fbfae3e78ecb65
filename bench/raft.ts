/**
 * Raft alone: three replicas in one thread, every message through the codec, writes durable at
 * once, against etcd's Raft library (Go, one thread) in the same harness. What counts is how many
 * proposals the leader sees committed and applied in a second.
 */
import { parseArgs } from "node:util";
import { median, printTable } from "./measure.ts";
import { etcdRaft } from "./raft/etcd.ts";
import type { RaftLoad, RaftPeer } from "./raft/etcd.ts";
import { createGroup } from "./raft/group.ts";

export const name = "raft";
export const summary =
  "proposals a second of three in-memory replicas, against etcd's library (go)";

const LOADS: readonly RaftLoad[] = [
  { batch: 1, window: 1, size: 128 },
  { batch: 64, window: 1, size: 128 },
  { batch: 1, window: 64, size: 128 },
  { batch: 64, window: 8, size: 128 },
];

export const options = {
  seconds: { type: "string", default: "2", argument: "N", help: "length of a round" },
  rounds: { type: "string", default: "3", argument: "N", help: "rounds that count" },
} as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
  const peer = await etcdRaft();
  if (peer === undefined) console.log("etcd's library: skipped: no go on this machine");
  const rows: string[][] = [];
  for (const load of LOADS) rows.push(await compare(load, peer, seconds, rounds));
  console.log(`\nproposals of 128 bytes a second; medians of ${rounds} rounds of ${seconds} s`);
  printTable(["batch x in flight", "Rutile", "etcd's raft", "Rutile / etcd's"], rows);
}

/** Rounds alternate, so that both see the machine's good and bad minutes. */
async function compare(
  load: RaftLoad,
  peer: RaftPeer | undefined,
  seconds: number,
  rounds: number,
): Promise<string[]> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(propose(load, seconds));
    if (peer !== undefined) theirs.push(await peer(load, seconds));
  }
  const title = `${load.batch} x ${load.window}`;
  const own = median(ours);
  if (peer === undefined) return [title, own.toFixed(0), "-", "-"];
  const other = median(theirs);
  return [title, own.toFixed(0), other.toFixed(0), (own / other).toFixed(2)];
}

/** Proposals a second, after a warm-up of a fifth of the time. */
function propose({ batch, window, size }: RaftLoad, seconds: number): number {
  const group = createGroup();
  const commands = Array.from({ length: batch }, () => new Uint8Array(size).fill(1));
  let proposed = 0;
  const runFor = (milliseconds: number): number => {
    const begun = performance.now();
    const applied = group.applied();
    while (performance.now() - begun < milliseconds) {
      while (proposed - group.applied() <= (window - 1) * batch) {
        group.propose(commands);
        proposed += batch;
      }
      group.turn();
    }
    return (1000 * (group.applied() - applied)) / (performance.now() - begun);
  };
  runFor(200 * seconds);
  return runFor(1000 * seconds);
}
