/**
 * The command line of the simulator. What is wrong with it is said in one line that names it.
 */
export type Command =
  | { readonly type: "list" }
  | { readonly type: "help" }
  | {
      readonly type: "one";
      readonly scenario: string;
      readonly seed: string;
      readonly byReference: boolean;
      /** Runs the seed twice and compares the traces event by event. */
      readonly twice: boolean;
      readonly verbose: boolean;
      /** Where to write a picture of the run, as a page. */
      readonly html: string | undefined;
    }
  | {
      readonly type: "many";
      readonly scenarios: readonly string[];
      readonly first: number;
      readonly last: number;
      readonly jobs: number;
      readonly json: string | undefined;
      readonly byReference: boolean;
    };

export type Parsed =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly problem: string };

export const USAGE = `usage: npm run sim -- list
       npm run sim -- SCENARIO [--seed N] [--verbose] [--twice] [--by-reference] [--html FILE]
       npm run sim -- SCENARIO|all --seeds A..B [--jobs N] [--json FILE] [--by-reference]
`;

const VALUE_FLAGS = ["--seed", "--seeds", "--jobs", "--json", "--html"];
const PLAIN_FLAGS = ["--verbose", "--twice", "--by-reference", "--help"];

/** Reads the arguments behind `sim`. `names` are the scenarios there are. */
export function parse(argv: readonly string[], names: readonly string[]): Parsed {
  const flags = new Map<string, string>();
  const words: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    const at = word.startsWith("--") ? word.indexOf("=") : -1;
    const name = at < 0 ? word : word.slice(0, at);
    if (!word.startsWith("-")) {
      words.push(word);
    } else if (PLAIN_FLAGS.includes(name) && at < 0) {
      flags.set(name, "");
    } else if (VALUE_FLAGS.includes(name)) {
      const value = at < 0 ? argv[(i += 1)] : word.slice(at + 1);
      if (value === undefined) return wrong(`flag ${name} needs a value`);
      flags.set(name, value);
    } else {
      return wrong(`unknown flag ${word}`);
    }
  }
  if (flags.has("--help")) return { ok: true, command: { type: "help" } };
  const [name, extra] = words;
  if (extra !== undefined) return wrong(`unexpected argument "${extra}"`);
  if (name === undefined) return wrong('which scenario? "npm run sim -- list" shows them');
  if (name === "list") return { ok: true, command: { type: "list" } };
  if (name !== "all" && !names.includes(name)) {
    return wrong(`unknown scenario "${name}"; "npm run sim -- list" shows them`);
  }
  return name === "all" || flags.has("--seeds") ? many(name, names, flags) : one(name, flags);
}

function one(scenario: string, flags: ReadonlyMap<string, string>): Parsed {
  for (const flag of ["--jobs", "--json"]) {
    if (flags.has(flag)) return wrong(`flag ${flag} goes with --seeds`);
  }
  const seed = wholeNumber(flags.get("--seed") ?? "1");
  if (seed === undefined) return wrongSeed(flags.get("--seed") ?? "");
  const command = {
    type: "one",
    scenario,
    seed: String(seed),
    byReference: flags.has("--by-reference"),
    twice: flags.has("--twice"),
    verbose: flags.has("--verbose"),
    html: flags.get("--html"),
  } as const;
  return { ok: true, command };
}

function many(name: string, names: readonly string[], flags: ReadonlyMap<string, string>): Parsed {
  for (const flag of ["--seed", "--twice", "--verbose", "--html"]) {
    if (flags.has(flag)) return wrong(`flag ${flag} goes with one scenario and one seed`);
  }
  const range = flags.get("--seeds") ?? "1..20";
  const [from, to, ...rest] = range.split("..");
  const first = wholeNumber(from ?? "");
  const last = wholeNumber(to ?? from ?? "");
  if (first === undefined || last === undefined || rest.length > 0 || last < first) {
    return wrong(`malformed seeds "${range}": a range like 1..500`);
  }
  const jobs = wholeNumber(flags.get("--jobs") ?? "1");
  if (jobs === undefined || jobs < 1 || jobs > 256) {
    return wrong(`malformed number of jobs "${flags.get("--jobs")}": from 1 to 256`);
  }
  const command = {
    type: "many",
    scenarios: name === "all" ? names : [name],
    first,
    last,
    jobs,
    json: flags.get("--json"),
    byReference: flags.has("--by-reference"),
  } as const;
  return { ok: true, command };
}

function wholeNumber(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

const wrongSeed = (text: string): Parsed =>
  wrong(`malformed seed "${text}": a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);

const wrong = (problem: string): Parsed => ({ ok: false, problem });
