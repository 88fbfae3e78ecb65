/**
 * Proof of determinism: every twentieth run of a batch is done again in another process, twice in a
 * row, and in the opposite order. All three must have gone the same way, event by event.
 */
import { firstDivergence } from "../trace/divergence.ts";
import { textHash } from "../trace/hash.ts";
import type { Recording } from "../trace/trace.ts";
import type { Host } from "./host.ts";
import type { Job, Summary } from "./summary.ts";
import { replayCommand, strategyOf } from "./summary.ts";
import type { Workers } from "./workers.ts";

/** One run in so many is done again; of each batch one at least. */
const ONE_IN = 20;

/** Which ones is decided by their names, so that it is the same ones each time. */
export function repeatedOf(jobs: readonly Job[]): readonly Job[] {
  const chosen = jobs.filter(({ scenario, seed }) => repeatsOne(scenario, seed));
  return chosen.length > 0 ? chosen : jobs.slice(0, 1);
}

/** Whether this run is one of them. */
export const repeatsOne = (scenario: string, seed: string): boolean =>
  textHash(`${scenario}/${seed}`) % ONE_IN === 0;

/** Repeats runs of which `summaries` tell; gives how many there were, and how many differed. */
export async function repeat(
  jobs: readonly Job[],
  summaries: readonly Summary[],
  count: number,
  host: Host,
): Promise<{ readonly repeated: number; readonly differing: number }> {
  const again = repeatedOf(jobs).toReversed();
  const workers = host.startWorkers(count);
  const traces = new Map(summaries.map((one) => [nameOf(one), one.trace]));
  let differing = 0;
  const check = async (job: Job): Promise<void> => {
    const second = await run(workers, { ...job, twice: true });
    const first = traces.get(nameOf({ ...job, strategy: strategyOf(job) }));
    // What has no trace has not run: that failed by itself.
    if (first === "" || second.trace === "") return;
    if (first === second.trace && second.secondTrace === second.trace) return;
    differing += 1;
    host.write(await tellDifference(workers, job, [first, second.trace, second.secondTrace]));
  };
  await Promise.all(again.map(check));
  workers.end();
  return { repeated: again.length, differing };
}

const nameOf = ({
  scenario,
  seed,
  strategy,
}: Pick<Summary, "scenario" | "seed" | "strategy">): string => `${scenario}/${seed}/${strategy}`;

const run = (workers: Workers, job: Job): Promise<Summary> =>
  new Promise((done) => workers.run(job, done));

/** The traces, and the first event that differs between two runs that are recorded. */
export async function tellDifference(
  workers: Workers,
  job: Job,
  traces: readonly (string | undefined)[],
): Promise<string> {
  const [a, b] = await Promise.all([
    run(workers, { ...job, recorded: true }),
    run(workers, { ...job, recorded: true, twice: true }),
  ]);
  const where = divergenceText(a.recording, b.recording) ?? "two runs that were recorded are equal";
  const name = `${job.scenario} seed=${job.seed}`;
  return (
    `FAIL ${name}: not deterministic: traces ${traces.join(", ")}\n     ${where}\n` +
    `     ${replayCommand(job.scenario, job.seed, strategyOf(job))} --twice\n`
  );
}

/** Where two runs were. */
const SIDES: readonly [string, string] = ["in one run", "in the other"];

/** The first event that differs, with both sides; undefined where none does. */
export function divergenceText(
  a: Recording | undefined,
  b: Recording | undefined,
  [here, there]: readonly [string, string] = SIDES,
): string | undefined {
  const at = firstDivergence(a?.hashes ?? [], b?.hashes ?? []);
  if (at === undefined) return undefined;
  const side = (recording: Recording | undefined): string => recording?.labels[at - 1] ?? "the end";
  const [ours, theirs] = [side(a), side(b)];
  // A label rounds times and leaves payloads out; the hash does neither.
  const hidden = ours === theirs ? ", in its exact time, its payload or what it led to" : "";
  return `event ${at} differs: "${ours}" ${here}, "${theirs}" ${there}${hidden}`;
}
