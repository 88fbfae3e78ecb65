/**
 * `npm run planted`: plants each bug and counts the seeds that it takes to be caught. Fails where
 * one survives its budget (`options.ts`).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PlantedBug } from "./bug.ts";
import type { Catch } from "./hunt.ts";
import { huntFor, shrinkIn } from "./hunting.ts";
import { type Options, parse, USAGE } from "./options.ts";
import { plant } from "./plant.ts";
import type { Row } from "./report.ts";
import { HEADLINE, lineOf, markdownOf, rowOf } from "./report.ts";

/** Hunts of one bug begin this far apart, so that they share no seed. */
const STRIDE = 1_000_000;
const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Hunts `bug` from every start, `jobs` at a time. */
async function huntAll(
  bug: PlantedBug,
  { starts, seeds, jobs, shrink, schedules, strategy }: Options,
): Promise<Row> {
  const planted = plant(root, bug);
  if (!planted.ok) throw new Error(`${bug.id}: ${planted.reason}`);
  try {
    const catches: Catch[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < starts) {
        const first = next === 0;
        const caught = await huntFor(planted.root, bug, next++ * STRIDE + 1, seeds, strategy);
        const shrunk = shrink && first ? await shrinkIn(planted.root, caught) : undefined;
        catches.push(shrunk === undefined ? caught : { ...caught, shrunk });
      }
    };
    await Promise.all(Array.from({ length: jobs }, worker));
    if (schedules !== undefined) keep(schedules, bug, catches);
    return rowOf(bug, catches);
  } finally {
    planted.remove();
  }
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

const parsed = parse(process.argv.slice(2));
if (parsed.type === "help") console.log(USAGE);
else if (parsed.type === "hunt") await huntThem(parsed.options);
else {
  console.error(`planted: ${parsed.problem}`);
  process.exitCode = 2;
}
