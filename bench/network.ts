/**
 * The bare simulator beside madsim and turmoil (Rust): five nodes that ask each other and answer,
 * one fixed seed, the same latencies, no faults. What counts is how many messages are delivered in
 * a second of processor time; rounds alternate, each in a fresh process.
 */
import { execFile, fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { WORKER_FLAGS } from "../runtime/cli/sim-workers.ts";
import { buildCargo } from "./cargo.ts";
import { flags } from "./cluster/processes.ts";
import { median, printTable } from "./measure.ts";
import { type Figure, type Load, perSecond } from "./network/load.ts";
import { positive } from "./options.ts";

export const name = "network";
export const summary =
  "simulated messages a second of five nodes, against madsim and turmoil (needs cargo)";

const exec = promisify(execFile);

/** Whole runs of the database that count; as many warm up. */
const DATABASE_SEEDS = 4;

export const options = {
  rounds: { type: "string", default: "5", argument: "N", help: "rounds that count" },
  messages: { type: "string", default: "1000000", argument: "N", help: "delivered in each" },
  "warm-up": { type: "string", default: "500000", argument: "N", help: "delivered before, by all" },
  payload: {
    type: "string",
    default: "64",
    argument: "BYTES",
    help: "of a request and its answer",
  },
  seed: { type: "string", default: "1", argument: "N", help: "of every simulator" },
  windows: {
    type: "string",
    default: "1,16,256",
    argument: "N,N",
    help: "requests in flight of each node",
  },
} as const;

type Contestant = (load: Load) => Promise<Figure>;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const rounds = positive("rounds", values.rounds);
  const load = {
    payload: positive("payload", values.payload),
    warmUp: positive("warm-up", values["warm-up"]),
    messages: positive("messages", values.messages),
    seed: positive("seed", values.seed),
  };
  const windows = values.windows.split(",").map((text) => positive("windows", text));
  console.log("madsim and turmoil are built first, which takes minutes where they never were");
  const peers = await buildCargo("bench/network/peers");
  if (peers === undefined) {
    console.log("madsim and turmoil: skipped: no cargo on this machine to build them with");
  }
  const contestants: Readonly<Record<string, Contestant>> = {
    "Rutile, by reference": (load) => ours("plain", load, "reference"),
    "Rutile, through the codec": (load) => ours("plain", load, "bytes"),
    ...(peers === undefined ? {} : peersIn(peers)),
  };
  console.log(
    `\nmessages of ${load.payload} bytes delivered a second of processor time between five nodes;\n` +
      `medians of ${rounds} rounds of ${load.messages.toLocaleString("en")}`,
  );
  const rows: string[][] = [];
  for (const window of windows) {
    rows.push(...(await compare(contestants, { ...load, window }, rounds)));
  }
  printTable(["requests of each node", "messages/s", "of madsim", "of turmoil"], rows);
  const whole = perSecond(await ours("database", DATABASE_SEEDS, "bytes"));
  console.log(
    `\nThe whole database (the calm scenario: engine, disks, clients, every checker; through the ` +
      `codec)\ncarries ${figure(whole)} messages a second: another thing, which has no peer here.`,
  );
}

const peersIn = (folder: string): Readonly<Record<string, Contestant>> => ({
  madsim: (load) => peer(join(folder, "madsim"), load),
  turmoil: (load) => peer(join(folder, "turmoil"), load),
});

/** Rounds alternate, so that all see the machine's good and bad minutes. */
async function compare(
  contestants: Readonly<Record<string, Contestant>>,
  load: Load,
  rounds: number,
): Promise<string[][]> {
  const rates = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [title, contestant] of Object.entries(contestants)) {
      const rate = perSecond(await contestant(load));
      rates.set(title, [...(rates.get(title) ?? []), rate]);
    }
  }
  const rate = (title: string): number => median(rates.get(title) ?? []);
  return Object.keys(contestants).map((title) => [
    `${load.window} in flight: ${title}`,
    figure(rate(title)),
    ratio(rate(title) / rate("madsim")),
    ratio(rate(title) / rate("turmoil")),
  ]);
}

const figure = (value: number): string => Math.round(value).toLocaleString("en");
const ratio = (value: number): string => (Number.isNaN(value) ? "-" : value.toFixed(2));

/** In a process of its own, with the flags of those that run batches of seeds. */
async function ours(
  what: "plain" | "database",
  told: Load | number,
  way: "bytes" | "reference",
): Promise<Figure> {
  const file = fileURLToPath(new URL("network/child.js", import.meta.url));
  const child = fork(file, [what, JSON.stringify(told), way], { execArgv: [...WORKER_FLAGS] });
  let said: Figure | undefined;
  child.on("message", (figure: Figure) => (said = figure));
  await new Promise((done) => child.on("close", done));
  if (said === undefined) throw new Error("a measurement of ours was not carried to its end");
  return said;
}

async function peer(binary: string, load: Load): Promise<Figure> {
  const { window, payload, warmUp, messages, seed } = load;
  const numbers = { window, payload, "warm-up": warmUp, messages, seed };
  const told = Object.entries(numbers).map(([key, value]) => [key, String(value)] as const);
  const { stdout } = await exec(binary, flags(Object.fromEntries(told)));
  return JSON.parse(stdout) as Figure;
}
