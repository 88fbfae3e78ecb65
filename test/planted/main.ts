/**
 * `npm run planted -- [ID …] [--starts N] [--seeds N] [--jobs N] [--json FILE] [--markdown FILE]`:
 * plants each bug and counts the seeds that it takes to be caught. Fails where one survives its
 * budget.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { PlantedBug } from "./bug.ts";
import { BUGS } from "./bugs.ts";
import type { Catch } from "./hunt.ts";
import { huntFor } from "./hunting.ts";
import { plant } from "./plant.ts";
import type { Row } from "./report.ts";
import { HEADLINE, lineOf, markdownOf, rowOf } from "./report.ts";

/** Hunts of one bug begin this far apart, so that they share no seed. */
const STRIDE = 1_000_000;
const root = fileURLToPath(new URL("../../..", import.meta.url));

function usage(problem: string): never {
  console.error(`planted: ${problem}`);
  process.exit(2);
}

function options(): {
  bugs: readonly PlantedBug[];
  starts: number;
  seeds: number;
  jobs: number;
  json: string | undefined;
  markdown: string | undefined;
} {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        starts: { type: "string", default: "5" },
        seeds: { type: "string", default: "2000" },
        jobs: { type: "string", default: "2" },
        json: { type: "string" },
        markdown: { type: "string" },
      },
    });
    const unknown = positionals.find((id) => BUGS.every((bug) => bug.id !== id));
    if (unknown !== undefined) usage(`unknown bug "${unknown}"`);
    const count = (text: string, flag: string): number =>
      /^[1-9]\d*$/.test(text) ? Number(text) : usage(`--${flag} ${text} is not a whole number`);
    return {
      bugs: positionals.length === 0 ? BUGS : BUGS.filter(({ id }) => positionals.includes(id)),
      starts: count(values.starts, "starts"),
      seeds: count(values.seeds, "seeds"),
      jobs: count(values.jobs, "jobs"),
      json: values.json,
      markdown: values.markdown,
    };
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

/** Hunts `bug` from every start, `jobs` at a time. */
async function huntAll(
  bug: PlantedBug,
  { starts, seeds, jobs }: { starts: number; seeds: number; jobs: number },
): Promise<Row> {
  const planted = plant(root, bug);
  if (!planted.ok) throw new Error(`${bug.id}: ${planted.reason}`);
  try {
    const catches: Catch[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < starts)
        catches.push(await huntFor(planted.root, bug, next++ * STRIDE + 1, seeds));
    };
    await Promise.all(Array.from({ length: jobs }, worker));
    return rowOf(bug, catches);
  } finally {
    planted.remove();
  }
}

const chosen = options();
const rows: Row[] = [];
console.log(HEADLINE);
for (const bug of chosen.bugs) {
  const row = await huntAll(bug, chosen);
  rows.push(row);
  console.log(lineOf(row));
}
if (chosen.json !== undefined)
  writeFileSync(chosen.json, `${JSON.stringify(rows, undefined, 2)}\n`);
if (chosen.markdown !== undefined)
  writeFileSync(chosen.markdown, markdownOf(rows, chosen.starts, chosen.seeds));
const survivors = rows.filter(({ survived }) => survived > 0);
if (survivors.length > 0) {
  console.error(`planted: ${survivors.map(({ id }) => id).join(", ")} survived`);
  process.exitCode = 1;
}
