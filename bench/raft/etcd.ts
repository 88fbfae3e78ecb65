/** etcd's Raft library (Go) in the harness of the Raft benchmark: its peer. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { flags } from "../cluster/processes.ts";
import { buildGo } from "../go.ts";

const exec = promisify(execFile);

/** The load: `window` batches of `batch` proposals of `size` bytes in flight. */
export interface RaftLoad {
  readonly batch: number;
  readonly window: number;
  readonly size: number;
}

/** Runs one load for `seconds` and returns the proposals a second. */
export type RaftPeer = (load: RaftLoad, seconds: number) => Promise<number>;

/** The peer, or undefined where there is no Go to build it with. */
export async function etcdRaft(): Promise<RaftPeer | undefined> {
  const binary = await buildGo("bench/raft/etcd");
  if (binary === undefined) return undefined;
  return async ({ batch, window, size }, seconds) => {
    const { stdout } = await exec(
      binary,
      flags({
        batch: String(batch),
        window: String(window),
        size: String(size),
        duration: `${seconds}s`,
      }),
    );
    return (JSON.parse(stdout) as { perSecond: number }).perSecond;
  };
}
