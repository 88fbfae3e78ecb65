/**
 * `npm run bench -- NAME [options]` runs one benchmark; without a name it lists them, and with
 * `--help` behind the name it lists the options. Every benchmark compares with a peer in the same
 * run.
 */
import { describeOptions, optionProblem } from "./options.ts";
import type { Options } from "./options.ts";

/** What a file of this folder exports to be a benchmark. */
interface Benchmark {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Without them it answers `--help` itself. */
  readonly options?: Options;
  run(args: readonly string[]): void | Promise<void>;
}

const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  tree: () => import("./tree.ts"),
  protobuf: () => import("./protobuf.ts"),
  raft: () => import("./raft.ts"),
  sim: () => import("./sim.ts"),
  network: () => import("./network.ts"),
  debug: () => import("./debug.ts"),
  storage: () => import("./storage.ts"),
  cluster: () => import("./cluster.ts"),
  txn: () => import("./txn.ts"),
};

const HELP = "--help";
const LISTS: readonly (string | undefined)[] = [undefined, "list", HELP, "-h"];

const [wanted, ...args] = process.argv.slice(2);
if (LISTS.includes(wanted)) {
  await list();
} else if (wanted !== undefined && Object.hasOwn(BENCHMARKS, wanted)) {
  await start(await BENCHMARKS[wanted]!());
} else {
  refuse(`unknown benchmark "${wanted}"; there are ${Object.keys(BENCHMARKS).join(", ")}`);
}

async function list(): Promise<void> {
  console.log("npm run bench -- NAME [options], where NAME is one of\n");
  for (const load of Object.values(BENCHMARKS)) {
    const { name, summary } = await load();
    console.log(`  ${name.padEnd(10)} ${summary}`);
  }
  console.log(`\nnpm run bench -- NAME ${HELP} lists what a benchmark can be told.`);
}

async function start(benchmark: Benchmark): Promise<void> {
  const { name, summary, options } = benchmark;
  if (options !== undefined && (args.includes(HELP) || args.includes("-h"))) {
    console.log(`npm run bench -- ${name} [options]\n\n${summary}\n\n${describeOptions(options)}`);
    return;
  }
  try {
    await benchmark.run(args);
  } catch (error) {
    const problem = optionProblem(error);
    if (problem === undefined) throw error;
    refuse(`${problem}; see npm run bench -- ${name} ${HELP}`);
  }
}

function refuse(line: string): void {
  console.error(`bench: ${line}`);
  process.exitCode = 2;
}
