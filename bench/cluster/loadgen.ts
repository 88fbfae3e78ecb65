/** Runs the load generator: one shape of load against one system. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { flags } from "./processes.ts";

const exec = promisify(execFile);

/** One shape of load. */
export interface Shape {
  readonly op: "put" | "get";
  /** Commands travel in batches on a stream instead of one call each. */
  readonly batch: boolean;
  readonly clients: number;
  readonly connections: number;
}

/** Processes whose CPU time is added up under one name. */
export type CpuGroups = Readonly<Record<string, readonly number[]>>;

/** What the generator printed. Latencies in microseconds, CPU in seconds within the window. */
export interface Report {
  readonly ops: number;
  readonly errors: number;
  readonly lastError?: string;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly cpu: Readonly<Record<string, number>>;
  readonly clientCpu: number;
  /** Commands that shared a message, on average; 0 when each went alone. */
  readonly batchSize: number;
}

/** The system under load: its kind and where the generator reaches it. */
export interface Target {
  readonly system: "etcd" | "rutile";
  readonly endpoints: string;
}

/** What the generator makes them of. */
export const KEY_BYTES = 16;

/** The keys that there are, and what lies under each. */
export interface KeySpace {
  readonly keys: number;
  readonly valueBytes: number;
}

/** Writes every key once, in the fastest way that the system has. */
export async function preload(binary: string, target: Target, space: KeySpace): Promise<void> {
  const batch = target.system === "rutile";
  await exec(binary, [
    ...targetFlags(target),
    ...spaceFlags(space),
    "--preload",
    `--batch=${batch}`,
  ]);
}

/** Runs one shape and returns what was measured. Throws when nothing completed. */
export async function measure(
  binary: string,
  target: Target,
  space: KeySpace,
  shape: Shape,
  seconds: number,
  cpu: CpuGroups,
): Promise<Report> {
  const groups = Object.entries(cpu).map(([name, pids]) => `${name}=${pids.join("+")}`);
  const { stdout } = await exec(binary, [
    ...targetFlags(target),
    ...spaceFlags(space),
    ...flags({
      op: shape.op,
      cpu: groups.join(","),
      clients: String(shape.clients),
      connections: String(shape.connections),
      duration: `${seconds}s`,
    }),
    `--batch=${shape.batch}`,
  ]);
  return JSON.parse(stdout) as Report;
}

function targetFlags(target: Target): string[] {
  return flags({ system: target.system, endpoints: target.endpoints });
}

function spaceFlags({ keys, valueBytes }: KeySpace): string[] {
  return flags({ keys: String(keys), value: String(valueBytes) });
}
