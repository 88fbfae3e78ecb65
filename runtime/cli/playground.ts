/**
 * `rutile playground`: a whole cluster on this machine, which checks itself and serves until
 * Ctrl-C.
 */
import { relative } from "node:path";
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { runCheck } from "../playground/check.ts";
import { Playground, PlaygroundFailure, portsFrom, USUAL_PORTS } from "../playground/playground.ts";
import { RUTILE_VERSION } from "../version.ts";
import { painted, type Style, wantsColour } from "./tint.ts";

interface Options {
  readonly once?: true;
  readonly dataDir: string;
  readonly stores: number;
  readonly portBase?: number;
}

const MAX_STORES = 16;

export function addPlayground(program: Command): void {
  program
    .command("playground")
    .description("run a placement driver and three stores here, and check that they work")
    .option("--once", "stop after the check, with status 0, or 1 if it failed")
    .option("--data-dir <directory>", "where data and logs lie, kept between runs", "rutile-data")
    .option("--stores <count>", "how many stores", whole(1, MAX_STORES), 3)
    .option(
      "--port-base <port>",
      "use the ports from this one on",
      whole(1, 65535 - 2 * MAX_STORES),
    )
    .action(async (options: Options) => {
      process.exitCode = await run(options);
    });
}

const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };

/** Colours only where a person looks on. */
const isColourful = wantsColour(process.stdout);
const paint = (style: Style, text: string): string => (isColourful ? painted(style, text) : text);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const sayEntry = (name: string, value: string): void =>
  say(`  ${paint("dim", name.padEnd(11))} ${value}`);
const saySuccess = (step: string, milliseconds: number): void =>
  say(`  ${paint("green", "✓")} ${step} ${paint("dim", `(${milliseconds.toFixed(1)} ms)`)}`);
const sayFailure = (what: string): void => say(`  ${paint("red", "✗")} ${what}`);

/** The exit status of the process. */
async function run({ once, dataDir, stores, portBase }: Options): Promise<number> {
  const ports = portBase === undefined ? USUAL_PORTS : portsFrom(portBase, stores);
  const playground = new Playground({ directory: dataDir, stores, ports });
  const interrupted = new Promise<"interrupted">((resolve) => {
    const stop = (): void => resolve("interrupted");
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
  say(`${paint("bold", "Rutile")} ${RUTILE_VERSION} playground`);
  sayPlan(playground);
  const outcome = await Promise.race([bringUp(playground), interrupted]);
  if (outcome === "good" && once === undefined) {
    playground.onLoss = (node) => sayFailure(`${node.name} has ended: ${node.ended() ?? ""}`);
    say("");
    say(`Serving. Point any TiKV client at ${paint("bold", playground.pdAddress)}; Ctrl-C stops.`);
    await interrupted;
  }
  const clean = await playground.stop();
  if (!clean && outcome !== "bad") sayFailure("a node did not stop by itself; its log says more");
  if (outcome !== "bad") say(clean ? "Stopped." : "");
  return outcome === "bad" || !clean ? 1 : 0;
}

function sayPlan(playground: Playground): void {
  const { directory, stores } = playground.plan;
  const shown = relative(".", directory);
  sayEntry("data, logs", `${shown}${playground.kept ? " (kept from before)" : ""}`);
  sayEntry("placement", `http://${playground.pdAddress}`);
  sayEntry(stores === 1 ? "store" : "stores", playground.storeAddresses.join("  "));
  sayEntry("status", playground.statusAddresses.map((a) => `http://${a}/status`).join("  "));
  say("");
}

async function bringUp(playground: Playground): Promise<"good" | "bad"> {
  const start = performance.now();
  try {
    await playground.start();
    const regions = await playground.replicated();
    const [first] = regions;
    const replicas = `${first?.voters.length ?? 0} replica${first?.voters.length === 1 ? "" : "s"}`;
    const what = regions.length === 1 ? "the region has" : `all ${regions.length} regions have`;
    saySuccess(`${what} ${replicas}`, performance.now() - start);
  } catch (error) {
    if (!(error instanceof PlaygroundFailure)) throw error;
    sayFailure(error.message);
    return "bad";
  }
  const failure = await runCheck(playground.pdAddress, saySuccess);
  if (failure === undefined) return "good";
  sayFailure(failure);
  return "bad";
}
