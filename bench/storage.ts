/**
 * The storage engine beside LevelDB (npm `classic-level`), and LMDB (npm `lmdb`) as the limit of
 * what reads can cost. Each engine runs in a process of its own, with the same entries and the same
 * memory budget. What is measured is described in `storage/phases.ts`.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { positive, refuseOption } from "./options.ts";
import { printTable } from "./measure.ts";
import { PHASES } from "./storage/phases.ts";
import type { Figures, Plan } from "./storage/phases.ts";

export const name = "storage";
export const summary = "the storage engine against LevelDB and LMDB";

const OURS = "rutile";
const PEER = "leveldb";
const ENGINES: readonly string[] = [OURS, PEER, "lmdb"];
const MIB = 1024 * 1024;

/** What is aimed at: of ours over the peer's figure, or of ours alone. */
interface Target {
  readonly of: "ratio" | "figure";
  readonly least?: number;
  readonly most?: number;
}

/** What is printed: its name in `Figures`, and how it is shown. */
interface Row {
  readonly figure: string;
  readonly title: string;
  readonly show: (value: number) => string;
  readonly target?: Target;
}

const perSecond = (value: number): string => Math.round(value).toLocaleString("en");
const fixed = (value: number): string => value.toFixed(2);
const tenths = (value: number): string => value.toFixed(1);
const megabytes = (value: number): string => (value / MIB).toFixed(0);

const atLeast = (least: number): Target => ({ of: "ratio", least });
const pause = { of: "figure", most: 20 } as const;

function rows(memoryBytes: number): readonly Row[] {
  const memory = { of: "figure", most: memoryBytes * 1.2 } as const;
  return [
    {
      figure: "write",
      title: "random writes, batches of 100, synced: entries/s",
      show: perSecond,
      target: atLeast(1),
    },
    { figure: "write cpu", title: "  CPU us an entry, all threads", show: fixed },
    { figure: "write pause", title: "  longest pause, ms", show: tenths },
    { figure: "write own pause", title: "  less the wait for a processor, ms", show: tenths },
    {
      figure: "write turn",
      title: "  longest turn, ms on the processor",
      show: tenths,
      target: pause,
    },
    { figure: "write memory", title: "  peak memory, MiB", show: megabytes, target: memory },
    { figure: "settle", title: "compaction of what was written, s", show: tenths },
    { figure: "settle pause", title: "  longest pause, ms", show: tenths },
    { figure: "settle own pause", title: "  less the wait for a processor, ms", show: tenths },
    {
      figure: "settle turn",
      title: "  longest turn, ms on the processor",
      show: tenths,
      target: pause,
    },
    { figure: "settle memory", title: "  peak memory, MiB", show: megabytes, target: memory },
    { figure: "amplification", title: "  bytes written for one of data", show: fixed },
    {
      figure: "space",
      title: "  space for one byte of data",
      show: fixed,
      target: { of: "ratio", most: 1.1 },
    },
    { figure: "open", title: "open, ms", show: tenths, target: { of: "figure", most: 1000 } },
    {
      figure: "read hot",
      title: "reads, 100k warm: /s of CPU",
      show: perSecond,
      target: atLeast(1.5),
    },
    { figure: "read all", title: "reads, anywhere: /s of CPU", show: perSecond },
    {
      figure: "read absent",
      title: "reads, absent: /s of CPU",
      show: perSecond,
      target: atLeast(2),
    },
    { figure: "scan forward", title: "full scan: entries/s", show: perSecond, target: atLeast(2) },
    { figure: "scan forward cpu", title: "  CPU us an entry", show: fixed },
    {
      figure: "scan reverse",
      title: "full scan, reverse: entries/s",
      show: perSecond,
      target: atLeast(2),
    },
    { figure: "scan reverse cpu", title: "  CPU us an entry", show: fixed },
    {
      figure: "short forward",
      title: "scans of 100 entries: /s",
      show: perSecond,
      target: atLeast(2),
    },
    { figure: "short forward cpu", title: "  CPU us a scan", show: fixed },
    {
      figure: "short reverse",
      title: "scans of 100, reverse: /s",
      show: perSecond,
      target: atLeast(2),
    },
    { figure: "short reverse cpu", title: "  CPU us a scan", show: fixed },
    { figure: "read memory", title: "  peak memory, MiB", show: megabytes, target: memory },
    { figure: "load", title: "load in order: entries/s", show: perSecond, target: atLeast(1) },
    { figure: "load cpu", title: "  CPU us an entry, all threads", show: fixed },
    { figure: "load pause", title: "  longest pause, ms", show: tenths },
    { figure: "load own pause", title: "  less the wait for a processor, ms", show: tenths },
    {
      figure: "load turn",
      title: "  longest turn, ms on the processor",
      show: tenths,
      target: pause,
    },
    { figure: "load memory", title: "  peak memory, MiB", show: megabytes, target: memory },
  ];
}

export const options = {
  entries: { type: "string", default: "5000000", argument: "N", help: "entries of each store" },
  memory: { type: "string", default: "256", argument: "MB", help: "budget of each engine" },
  compression: { type: "boolean", default: false, help: "tables are compressed" },
  engines: { type: "string", argument: "LIST", help: "of rutile,leveldb,lmdb; all without it" },
  only: { type: "string", argument: "LIST", help: "of write,read,scan,load; all without it" },
  directory: {
    type: "string",
    argument: "DIR",
    help: "where the stores lie; the system's for temporary files without it",
  },
  json: { type: "boolean", default: false, help: "figures as JSON" },
} as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const memoryBytes = positive("memory", values.memory) * MIB;
  const entries = positive("entries", values.entries);
  const only = some("only", values.only, PHASES);
  const results = new Map<string, Figures>();
  for (const engine of some("engines", values.engines, ENGINES)) {
    const directory = mkdtempSync(join(values.directory ?? tmpdir(), `rutile-bench-${engine}-`));
    const { compression } = values;
    const plan: Plan = { directory, memoryBytes, compression, entries, only };
    try {
      results.set(engine, await inProcess(engine, plan));
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
  if (values.json) console.log(JSON.stringify(Object.fromEntries(results)));
  else print(results, values.entries, memoryBytes);
}

/** Those of `known` that `text` names, separated by commas; all where it names none. */
function some<T extends string>(
  option: string,
  text: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (text === undefined) return known;
  return text.split(",").map((wanted) => {
    const found = known.find((one) => one === wanted);
    return found ?? refuseOption(`--${option} ${text}: of ${known.join(", ")}`);
  });
}

/** Runs the phases of one engine in a new process. */
function inProcess(engine: string, plan: Plan): Promise<Figures> {
  const file = fileURLToPath(new URL("./storage/child.js", import.meta.url));
  const child = fork(file, [engine, JSON.stringify(plan)]);
  return new Promise((resolve, reject) => {
    let figures: Figures | undefined;
    child.on("message", (message) => {
      figures = message as Figures;
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (code === 0 && figures !== undefined) resolve(figures);
      else reject(new Error(`${engine} ended with ${code ?? signal}`));
    });
  });
}

function print(results: ReadonlyMap<string, Figures>, entries: string, memoryBytes: number): void {
  console.log(`\n${Number(entries).toLocaleString("en")} entries of 24 + 128 bytes`);
  const engines = [...results.keys()];
  const ours = results.get(OURS);
  const peer = results.get(PEER);
  const table = rows(memoryBytes)
    .filter(({ figure }) => engines.some((engine) => results.get(engine)?.[figure] !== undefined))
    .map(({ figure, title, show, target }) => {
      const cells = engines.map((engine) => {
        const value = results.get(engine)?.[figure];
        return value === undefined ? "-" : show(value);
      });
      const [own, other] = [ours?.[figure], peer?.[figure]];
      const ratio = own === undefined || other === undefined ? undefined : own / other;
      const judged = target?.of === "ratio" ? ratio : own;
      return [
        title,
        ...cells,
        ratio === undefined ? "-" : ratio.toFixed(2),
        ...verdict(target, show, judged),
      ];
    });
  printTable(["", ...engines, `${OURS}/${PEER}`, "target", ""], table);
}

function verdict(
  target: Target | undefined,
  show: Row["show"],
  value: number | undefined,
): [target: string, verdict: string] {
  if (target === undefined) return ["", ""];
  const { of, least, most } = target;
  const bound = least ?? most ?? 0;
  const text = `${least === undefined ? "<=" : ">="} ${of === "ratio" ? `${bound}x` : show(bound)}`;
  if (value === undefined) return [text, ""];
  const met = value >= (least ?? -Infinity) && value <= (most ?? Infinity);
  return [text, met ? "met" : "MISSED"];
}
