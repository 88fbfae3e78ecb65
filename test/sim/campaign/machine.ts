/**
 * A machine in memory: directories of campaigns, a clock that runs move, and workers that answer.
 */
import { setImmediate as drain } from "node:timers/promises";
import { SCENARIOS } from "../../../scenarios/index.ts";
import { type CampaignHost, type Host, type Job, lostJob, main } from "../../../sim/cli.ts";
import type { Summary } from "../../../sim/cli.ts";

export const NO_CAMPAIGNS: CampaignHost = {
  build: () => "0123456789abcdef",
  open: (directory) => ({ ok: false, problem: `cannot use ${directory}: no disk` }),
  openReports: (directory) => ({ ok: false, problem: `cannot use ${directory}: no disk` }),
  read: (directory) => ({ ok: false, problem: `${directory} holds no campaign: no disk` }),
  page: (title, body) => title + body,
  onInterrupt: () => undefined,
};

/** Mutable: what outlasts a process. */
export interface Machine {
  build: string;
  /** By path. */
  readonly files: Map<string, string>;
  /** What a run does. */
  answer: (job: Job) => Summary;
  /** After so many runs somebody presses Ctrl-C, or the disk is full. */
  interruptAfter: number;
  fullAfter: number;
}

export interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** Each as `scenario/seed`, without those that repeat others. */
  readonly ran: readonly string[];
}

export const machine = (answer: (job: Job) => Summary = good): Machine => ({
  build: "0123456789abcdef",
  files: new Map(),
  answer,
  interruptAfter: Infinity,
  fullAfter: Infinity,
});

/** Runs one process to its end. */
export async function onMachine(machine: Machine, line: string): Promise<Ended> {
  const ended = { status: 0, out: "", err: "", ran: [] as string[] };
  let [nowMs, runs] = [0, 0];
  let interrupt = (): void => undefined;
  const open: CampaignHost["open"] = (directory) => {
    const path = `${directory}/runs.jsonl`;
    const whole = (machine.files.get(path) ?? "").replace(/[^\n]*$/, "");
    machine.files.set(path, whole);
    const files = {
      lines: whole.split("\n").slice(0, -1),
      append(text: string) {
        if (runs > machine.fullAfter) return "no space left on device";
        machine.files.set(path, (machine.files.get(path) ?? "") + text);
        return undefined;
      },
      sync: () => undefined,
      write(name: string, text: string) {
        machine.files.set(`${directory}/${name}`, text);
        return undefined;
      },
      close: () => undefined,
    };
    return { ok: true, files };
  };
  const host: Host = {
    write: (text) => void (ended.out += text),
    writeError: (text) => void (ended.err += text),
    isTerminal: false,
    columns: 80,
    elapsedMs: () => nowMs,
    drain,
    readLines: () => Promise.resolve(),
    startWorkers: (count) => ({
      count,
      run(job, done) {
        runs += 1;
        if (runs > machine.interruptAfter) return interrupt();
        if (job.twice !== true) ended.ran.push(`${job.scenario}/${job.seed}`);
        const summary = machine.answer(job);
        nowMs += summary.wallSeconds * 1000;
        done(summary);
      },
      end: () => undefined,
      stop: () => undefined,
    }),
    campaigns: {
      build: () => machine.build,
      open,
      openReports: open,
      read(directory) {
        const text = machine.files.get(`${directory}/runs.jsonl`);
        if (text === undefined) return { ok: false, problem: `${directory} holds no campaign` };
        return { ok: true, lines: text.split("\n").slice(0, -1) };
      },
      page: (title, body) => `${title}\n${body}`,
      onInterrupt: (act) => void (interrupt = act),
    },
    readFile: () => ({ ok: false, problem: "no such file" }),
    writeFile: () => undefined,
    writePicture: () => ({ ok: false, problem: "no disk" }),
    writeWeb: () => ({ ok: false, problem: "no disk" }),
    serveWeb: () => Promise.resolve("no network"),
  };
  const argv = line.split(" ").filter((word) => word !== "");
  ended.status = await main(argv, SCENARIOS, host);
  return ended;
}

/** The report in a directory, without its time. */
export function reportIn({ files }: Machine, directory: string): Record<string, unknown> {
  const text = files.get(`${directory}/report.json`) ?? "{}";
  return { ...(JSON.parse(text) as Record<string, unknown>), seconds: 0 };
}

/** A run that passes, and meets what its seed says. */
export function good(job: Job): Summary {
  const trace = `trace of ${job.scenario}/${job.seed}`;
  return {
    ...lostJob(job, ""),
    passed: true,
    check: "",
    trace,
    events: 1000 + Number(job.seed),
    operations: 10,
    virtualSeconds: 60,
    wallSeconds: 0.5,
    ...(job.twice === true ? { secondTrace: trace } : {}),
    ...(job.tally === true ? { tally: [[`mark/${Number(job.seed) % 7}`, 2]] } : {}),
  };
}

/** Every fifth seed fails, in one of two ways. */
export function bad(job: Job): Summary {
  const seed = Number(job.seed);
  if (seed % 5 !== 0) return good(job);
  const check = seed % 2 === 0 ? "leases" : "linearizability";
  return { ...good(job), passed: false, check, text: `key "k${seed}" is gone\nand more` };
}
