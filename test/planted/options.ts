/** The command line of `npm run planted`. */
import { BUGS } from "./bugs.ts";
import type { PlantedBug } from "./bug.ts";

export interface Options {
  readonly bugs: readonly PlantedBug[];
  /** Hunts of each bug, seeds of a hunt, and processes at a time. */
  readonly starts: number;
  readonly seeds: number;
  readonly jobs: number;
  /** Most seconds of a processor for a hunt. */
  readonly cpu: number;
  /** Every strategy hunts every bug. */
  readonly compare: boolean;
  /** As for `npm run sim`. */
  readonly strategy: string;
  /** Whether what the first hunt catches is cut down to the decisions that it takes. */
  readonly shrink: boolean;
  /** Where the schedule of each bug is kept. */
  readonly schedules: string | undefined;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
}

export type Parsed =
  | { readonly type: "hunt"; readonly options: Options }
  | { readonly type: "help" }
  | { readonly type: "wrong"; readonly problem: string };

export const USAGE: string = `usage: npm run planted -- [ID ...] [OPTION ...]

Plants each known bug (or those named) in a copy of the built project, and counts the seeds that
the simulator takes to catch it. Ends with status 1 where one survives, and 2 where the command
line is wrong.

  --starts N       hunts of each bug, from seeds a million apart (5)
  --seeds N        most seeds of a hunt (2000)
  --cpu N          most seconds of a processor for a hunt (no limit)
  --jobs N         hunts at a time, each in a process of its own (2)
  --strategy S     how each seed is searched: random, pct, hold or guided (random)
  --compare        all four of them, side by side: prints tables (goes with --cpu)
  --shrink         cuts what the first hunt catches down to the decisions that it takes
  --schedules DIR  keeps their schedule there, as ID.schedule (with --shrink)
  --json FILE      writes the results
  --markdown FILE  writes them as a page; rows of bugs that were not hunted stay as they are
  --table          the same as --markdown docs/planted.md
  --help           prints this

Bugs: ${BUGS.map(({ id }) => id).join(" ")}
`;

const NUMBERS = ["starts", "seeds", "jobs", "cpu"] as const;
const SWITCHES = ["shrink", "compare"] as const;
export const STRATEGIES: readonly string[] = ["random", "pct", "hold", "guided"];
const FILES = ["json", "markdown", "schedules"] as const;
const TABLE = "docs/planted.md";

export function parse(argv: readonly string[]): Parsed {
  const numbers = { starts: 5, seeds: 2000, jobs: 2, cpu: Infinity };
  const switches = { shrink: false, compare: false };
  const files: Record<(typeof FILES)[number], string | undefined> = {
    json: undefined,
    markdown: undefined,
    schedules: undefined,
  };
  let strategy = "random";
  const ids: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (!word.startsWith("-")) {
      if (BUGS.every(({ id }) => id !== word)) return wrong(`unknown bug "${word}"`);
      ids.push(word);
      continue;
    }
    if (word === "--help" || word === "-h") return { type: "help" };
    const turnedOn = SWITCHES.find((one) => `--${one}` === word);
    if (turnedOn !== undefined) {
      switches[turnedOn] = true;
      continue;
    }
    if (word === "--table") {
      files.markdown = TABLE;
      continue;
    }
    const [flag = "", given] = word.split(/=(.*)/su);
    const name = flag.slice(2);
    const number = NUMBERS.find((one) => `--${one}` === flag);
    const file = FILES.find((one) => `--${one}` === flag);
    if (name !== "strategy" && number === undefined && file === undefined)
      return wrong(`unknown option ${flag}`);
    if (given === undefined) i += 1;
    const value = given ?? argv[i] ?? "";
    if (value === "") return wrong(`--${name} needs a value`);
    if (name === "strategy") {
      if (!STRATEGIES.includes(value)) return wrong(`unknown strategy "${value}"`);
      strategy = value;
    } else if (file !== undefined) files[file] = value;
    else if (!/^[1-9]\d*$/u.test(value)) return wrong(`--${name} ${value} is no whole number`);
    else if (number !== undefined) numbers[number] = Number(value);
  }
  const bugs = ids.length === 0 ? BUGS : BUGS.filter(({ id }) => ids.includes(id));
  const { shrink, compare } = switches;
  if (compare && numbers.cpu === Infinity) return wrong("--compare goes with --cpu");
  if (compare && (shrink || files.markdown !== undefined || strategy !== "random")) {
    return wrong("--compare hunts with every strategy, and prints its tables: --json keeps them");
  }
  if (files.schedules !== undefined && !shrink) return wrong("--schedules goes with --shrink");
  if (files.markdown !== undefined && strategy !== "random") {
    return wrong("the track record is of random seeds: --strategy goes with --json");
  }
  return { type: "hunt", options: { bugs, ...numbers, ...switches, strategy, ...files } };
}

const wrong = (problem: string): Parsed => ({ type: "wrong", problem });
