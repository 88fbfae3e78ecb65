/**
 * A closed loop: so many callers, each with one operation under way at any time. What happens in
 * the first moments is not counted, and the processor time of the servers is read at both ends of
 * what is.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** One kind of load on one system. */
export interface Load {
  readonly system: string;
  readonly label: string;
  /** Makes what one caller does again and again, each time this many operations. */
  readonly caller: () => Caller;
}

export interface Caller {
  /** Does some operations and tells how many. */
  turn(): Promise<number>;
  /** Gives back what the caller holds. */
  end(): Promise<void>;
}

/** What a load did within its window. */
export interface Report {
  readonly operations: number;
  readonly seconds: number;
  /** Of single turns. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpu: number;
  /** Of this process. */
  readonly clientCpu: number;
}

export interface Window {
  readonly callers: number;
  readonly seconds: number;
  /** Seconds of processor time that all servers of the system have had so far. */
  readonly serverCpu: () => number;
}

const RAMP_SECONDS = 0.5;

/** Throws as soon as any operation fails. */
export async function drive(load: Load, window: Window): Promise<Report> {
  const latencies: number[] = [];
  let operations = 0;
  const phase = { counting: false, over: false };
  const run = async (): Promise<void> => {
    const caller = load.caller();
    try {
      while (!phase.over) {
        const begun = performance.now();
        const done = await caller.turn();
        if (!phase.counting) continue;
        operations += done;
        latencies.push(performance.now() - begun);
      }
    } finally {
      await caller.end();
    }
  };
  const callers = Promise.all(Array.from({ length: window.callers }, run));
  const failed = callers.then(() => undefined);
  try {
    await Promise.race([sleep(1000 * RAMP_SECONDS), failed]);
    const [server, client, begun] = [window.serverCpu(), process.cpuUsage(), performance.now()];
    phase.counting = true;
    await Promise.race([sleep(1000 * window.seconds), failed]);
    phase.counting = false;
    const { user, system } = process.cpuUsage(client);
    const seconds = (performance.now() - begun) / 1000;
    const serverCpu = window.serverCpu() - server;
    phase.over = true;
    await callers;
    if (operations === 0) throw new Error(`${load.system}, ${load.label}: nothing was done`);
    latencies.sort((a, b) => a - b);
    const quantile = (q: number): number => latencies[Math.floor(q * (latencies.length - 1))]!;
    return {
      operations,
      seconds,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      serverCpu,
      clientCpu: (user + system) / 1e6,
    };
  } finally {
    phase.over = true;
  }
}
