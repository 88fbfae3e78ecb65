/**
 * `npm run planted`: plants each bug and counts the seeds that it takes to be caught. Fails where
 * one survives its budget (`options.ts`).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PlantedBug } from "./bug.ts";
import { COMPARED_HEAD, type Compared, comparedLine, summaryOf } from "./compare.ts";
import type { Catch } from "./hunt.ts";
import { huntFor, shrinkIn } from "./hunting.ts";
import { type Options, parse, STRATEGIES, USAGE } from "./options.ts";
import { plant } from "./plant.ts";
import type { Row } from "./report.ts";
import { HEADLINE, lineOf, markdownOf, rowOf } from "./report.ts";

/** Hunts of one bug begin this far apart, so that they share no seed. */
const STRIDE = 1_000_000;
const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Does `work` with a copy of the project that has the bug. */
async function planting<T>(bug: PlantedBug, work: (copy: string) => Promise<T>): Promise<T> {
  const planted = plant(root, bug);
  if (!planted.ok) throw new Error(`${bug.id}: ${planted.reason}`);
  try {
    return await work(planted.root);
  } finally {
    planted.remove();
  }
}

/** Does all of `work`, `jobs` at a time; gives what came of each, in order. */
async function allOf<T>(work: readonly (() => Promise<T>)[], jobs: number): Promise<readonly T[]> {
  const done: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < work.length; i = next++) done[i] = await work[i]!();
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return done;
}

/** Hunts `bug` from every start. */
function huntAll(bug: PlantedBug, options: Options): Promise<Row> {
  const { starts, seeds, cpu, jobs, shrink, schedules, strategy } = options;
  return planting(bug, async (copy) => {
    const hunts = Array.from({ length: starts }, (_, i) => async (): Promise<Catch> => {
      const first = i * STRIDE + 1;
      const caught = await huntFor(copy, bug, { first, seeds, cpuSeconds: cpu, strategy });
      const shrunk = shrink && i === 0 ? await shrinkIn(copy, caught) : undefined;
      return shrunk === undefined ? caught : { ...caught, shrunk };
    });
    const catches = await allOf(hunts, jobs);
    if (schedules !== undefined) keep(schedules, bug, catches);
    return rowOf(bug, catches);
  });
}

/** Hunts `bug` with every strategy from every start. */
function compareAll(bug: PlantedBug, { starts, seeds, cpu, jobs }: Options): Promise<Compared> {
  const plan = Array.from({ length: starts }, (_, i) => i * STRIDE + 1).flatMap((first) =>
    STRATEGIES.map((strategy) => ({ first, seeds, cpuSeconds: cpu, strategy })),
  );
  return planting(bug, async (copy) => {
    const hunts = plan.map((hunt) => () => huntFor(copy, bug, hunt));
    const catches = await allOf(hunts, jobs);
    const of = (name: string): readonly Catch[] =>
      catches.filter((_, i) => plan[i]?.strategy === name);
    return { bug, hunts: new Map(STRATEGIES.map((name) => [name, of(name)])) };
  });
}

/** Keeps what the bug was cut down to. */
function keep(folder: string, { id }: PlantedBug, catches: readonly Catch[]): void {
  const shrunk = catches.find((one) => one.shrunk !== undefined)?.shrunk;
  if (shrunk === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${id}.schedule`), shrunk.file);
}

async function huntThem(options: Options): Promise<void> {
  const rows: Row[] = [];
  console.log(HEADLINE);
  for (const bug of options.bugs) {
    const row = await huntAll(bug, options);
    rows.push(row);
    console.log(lineOf(row));
  }
  const { json, markdown, seeds } = options;
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`);
  if (markdown !== undefined) {
    const before = existsSync(markdown) ? readFileSync(markdown, "utf8") : "";
    writeFileSync(markdown, markdownOf(rows, seeds, before));
  }
  const survivors = rows.filter(({ survived }) => survived > 0);
  if (survivors.length === 0) return;
  console.error(`planted: ${survivors.map(({ id }) => id).join(", ")} survived`);
  process.exitCode = 1;
}

async function compareThem(options: Options): Promise<void> {
  const all: Compared[] = [];
  console.log(COMPARED_HEAD);
  for (const bug of options.bugs) {
    const compared = await compareAll(bug, options);
    all.push(compared);
    console.log(comparedLine(compared));
  }
  console.log(`\n${summaryOf(all, options.cpu)}`);
  const told = all.map(({ bug, hunts }) => ({ id: bug.id, hunts: Object.fromEntries(hunts) }));
  const { json } = options;
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(told, undefined, 2)}\n`);
}

const parsed = parse(process.argv.slice(2));
if (parsed.type === "help") console.log(USAGE);
else if (parsed.type === "hunt") {
  await (parsed.options.compare ? compareThem : huntThem)(parsed.options);
} else {
  console.error(`planted: ${parsed.problem}`);
  process.exitCode = 2;
}
