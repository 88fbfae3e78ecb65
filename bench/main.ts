/**
 * `npm run bench -- NAME [options]` runs one benchmark; without a name it lists them. Every
 * benchmark compares with a peer in the same run.
 */

/** What a file of this folder exports to be a benchmark. */
interface Benchmark {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  run(args: readonly string[]): void | Promise<void>;
}

const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  tree: () => import("./tree.ts"),
  protobuf: () => import("./protobuf.ts"),
  raft: () => import("./raft.ts"),
  sim: () => import("./sim.ts"),
  storage: () => import("./storage.ts"),
  cluster: () => import("./cluster.ts"),
  txn: () => import("./txn.ts"),
};

/** How `parseArgs` begins the code of what it throws at an unknown or malformed option. */
const BAD_ARGUMENT = "ERR_PARSE_ARGS";

const [wanted, ...args] = process.argv.slice(2);
if (wanted === undefined || wanted === "list") {
  for (const load of Object.values(BENCHMARKS)) {
    const { name, summary } = await load();
    console.log(`${name.padEnd(10)} ${summary}`);
  }
} else if (Object.hasOwn(BENCHMARKS, wanted)) {
  try {
    const benchmark = await BENCHMARKS[wanted]!();
    await benchmark.run(args);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code !== "string" || !code.startsWith(BAD_ARGUMENT)) throw error;
    refuse((error as Error).message);
  }
} else {
  refuse(`unknown benchmark "${wanted}"; there are ${Object.keys(BENCHMARKS).join(", ")}`);
}

function refuse(line: string): void {
  console.error(`bench: ${line}`);
  process.exitCode = 2;
}
