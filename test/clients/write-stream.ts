/** A client's stream of writes or transfers: a child process that goes on until told to stop. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { waitFor } from "../../bench/cluster/processes.ts";
import type { RealClient } from "./real-client.ts";

/** How many writes came back. */
export interface Progress {
  readonly acknowledged: number;
  /** Failed as the client sees it; they may have happened all the same. */
  readonly unknown: number;
}

export interface WriteStream {
  progress(): Progress;
  /** Waits until `count` more writes were acknowledged, and says how long it took. */
  acknowledge(count: number, patienceMs: number): Promise<number>;
  /** Lets the writers finish what is under way, and ends the process. Throws if it failed. */
  finish(): Promise<Progress>;
  /** Ends the process at once, when the test is over anyway. */
  abandon(): void;
}

/**
 * Starts the writers; each outcome goes to `file`. Keys begin with `prefix`. `more` flags are the
 * client's own.
 */
export function startWrites(
  client: RealClient,
  pd: string,
  file: string,
  prefix: string,
  more: readonly string[] = [],
): WriteStream {
  return startStream(client, ["write", "--pd", pd, "--file", file, "--prefix", prefix, ...more]);
}

/** Starts the transfers of the bank; each outcome goes to `file`. */
export function startTransfers(client: RealClient, pd: string, file: string): WriteStream {
  return startStream(client, ["bank", "--pd", pd, "--file", file]);
}

function startStream(client: RealClient, args: readonly string[]): WriteStream {
  const child = spawn(client.file, [...client.args, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let progress: Progress = { acknowledged: 0, unknown: 0 };
  const lines = createInterface({ input: child.stdout });
  const drained = once(lines, "close");
  lines.on("line", (line) => {
    const [, acknowledged, unknown] = /^acknowledged (\d+), unknown (\d+)$/.exec(line) ?? [];
    if (acknowledged === undefined) console.log(`# ${line}`);
    else progress = { acknowledged: Number(acknowledged), unknown: Number(unknown) };
  });
  return {
    progress: () => progress,
    acknowledge: async (count, patienceMs) => {
      const begun = performance.now();
      const wanted = progress.acknowledged + count;
      await waitFor(`${count} more writes are acknowledged`, patienceMs, () => {
        if (child.exitCode !== null) throw new Error("the writing client ended");
        return Promise.resolve(progress.acknowledged >= wanted);
      });
      return performance.now() - begun;
    },
    finish: async () => {
      child.stdin.end();
      await exited;
      await drained;
      if (child.exitCode !== 0) throw new Error(`the writing client ended with ${child.exitCode}`);
      return progress;
    },
    abandon: () => {
      child.kill("SIGKILL");
    },
  };
}
