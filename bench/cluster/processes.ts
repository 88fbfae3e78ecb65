/**
 * Server processes on loopback, as benchmarks and kill tests start them: each with its log in a
 * file, none outliving the process that started it.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** How to start one server. */
export interface Command {
  /** Names the process in messages. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Both output streams are appended here, so that a restart keeps what came before. */
  readonly log: string;
  /** Whom it runs as; like this process where it is not given. */
  readonly user?: User;
  /** Signals that ask it to end, and end it at once: SIGTERM and SIGKILL where not given. */
  readonly signals?: { readonly stop: NodeJS.Signals; readonly kill: NodeJS.Signals };
}

/** A user of the system, by numbers. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** A started server. */
export interface ServerProcess {
  readonly name: string;
  readonly pid: number;
  /** False once it has ended for whatever reason. */
  alive(): boolean;
  /** Ends it at once, as a power cut would for everything but the page cache. */
  kill(): Promise<void>;
  /** Asks it to end, and kills it after ten seconds. */
  stop(): Promise<void>;
}

const running = new Map<ChildProcess, NodeJS.Signals>();
process.on("exit", () => {
  for (const [child, signal] of running) child.kill(signal);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

/** Starts a process; it is not yet ready to serve. Throws when it cannot be started at all. */
export function startProcess(command: Command): ServerProcess {
  const log = openSync(command.log, "a");
  const signals = command.signals ?? { stop: "SIGTERM", kill: "SIGKILL" };
  const child = spawn(command.file, command.args, {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...command.env },
    ...command.user,
  });
  closeSync(log);
  if (child.pid === undefined) throw new Error(`${command.name}: cannot start ${command.file}`);
  running.set(child, signals.kill);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      running.delete(child);
      resolve();
    });
  });
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    if (alive()) child.kill(signals.kill);
    await ended;
  };
  const stop = async (): Promise<void> => {
    if (alive()) child.kill(signals.stop);
    const patience = new AbortController();
    const slow = sleep(10_000, true, { signal: patience.signal }).catch(() => false);
    const late = await Promise.race([ended.then(() => false), slow]);
    patience.abort();
    if (late) await kill();
  };
  return { name: command.name, pid: child.pid, alive, kill, stop };
}

/**
 * Waits until `probe` answers true. Throws after `patienceMs`, or as soon as one of the processes
 * has ended, with the end of its log.
 */
export async function waitFor(
  what: string,
  patienceMs: number,
  probe: () => Promise<boolean>,
  processes: readonly { process: ServerProcess; log: string }[] = [],
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await probe().catch(() => false))) {
    for (const { process, log } of processes) {
      if (!process.alive()) throw new Error(`${process.name} ended:\n${tail(log)}`);
    }
    if (performance.now() > deadline) {
      const logs = processes.map(({ process, log }) => `${process.name}:\n${tail(log)}`);
      throw new Error(`${what}: not so within ${patienceMs} ms\n${logs.join("\n")}`);
    }
    await sleep(50);
  }
}

/** Long flags for a command line: `{ name: "a" }` is `--name a`. */
export function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
}

/** True when an HTTP GET answers 200. */
export async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await response.arrayBuffer();
  return response.ok;
}

/**
 * Ports that nothing listens on. They lie below the range that the system hands to outgoing
 * connections, so that a server that was killed finds its port free when it is restarted.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, "127.0.0.1", () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** The last lines of a log, for error messages. */
export function tail(file: string, lines = 30): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}
