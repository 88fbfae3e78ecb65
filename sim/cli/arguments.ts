/**
 * The command line of the simulator. What is wrong with it is said in one line that names it.
 */
import {
  CAMPAIGN_FLAGS,
  type CampaignCommand,
  isCampaign,
  type MergeCommand,
  parseCampaign,
  parseMerge,
} from "../campaign/command.ts";
import { parseStrategy, type Strategy } from "../search/strategy.ts";
import { wholeNumber } from "./number.ts";
import { parseWeb, type WebCommand } from "./web.ts";

export type Command =
  | { readonly type: "list" }
  | { readonly type: "help" }
  | WebCommand
  | CampaignCommand
  | MergeCommand
  | {
      readonly type: "debug";
      readonly scenario: string;
      readonly seed: string;
      readonly strategy: Strategy;
    }
  | {
      readonly type: "one";
      readonly scenario: string;
      readonly seed: string;
      readonly byReference: boolean;
      /** Runs the seed twice and compares the traces event by event. */
      readonly twice: boolean;
      readonly verbose: boolean;
      readonly strategy: Strategy;
      /** Where to write a picture of the run, as a page, and its schedule. */
      readonly html: string | undefined;
      readonly save: string | undefined;
    }
  | {
      readonly type: "many";
      readonly scenarios: readonly string[];
      readonly first: number;
      readonly last: number;
      readonly jobs: number;
      readonly json: string | undefined;
      readonly byReference: boolean;
      /** Abstract states are counted. */
      readonly novelty: boolean;
      readonly strategy: Strategy | { readonly type: "guided" };
    }
  | { readonly type: "show"; readonly file: string }
  | {
      readonly type: "replay";
      readonly file: string;
      readonly verbose: boolean;
      readonly html: string | undefined;
    }
  | {
      readonly type: "shrink";
      /** A file, or else a scenario's seed. */
      readonly file: string | undefined;
      readonly scenario: string;
      readonly seed: string;
      readonly jobs: number;
      readonly strategy: Strategy;
      /** Most runs that it may take. */
      readonly runs: number;
      readonly out: string;
    };

export type Parsed =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly problem: string };

export const USAGE = `usage: npm run sim -- list
       npm run sim -- SCENARIO [--seed N] [--verbose] [--twice] [--by-reference]
                               [--html FILE] [--save FILE] [--strategy S]
       npm run sim -- web [--port N] [--out FILE]
       npm run sim -- SCENARIO|all --seeds A..B [--jobs N] [--json FILE] [--by-reference]
                               [--strategy S] [--novelty]
       npm run sim -- SCENARIO|all --hours N|--minutes N|--seconds N|--seeds A..B
                               [--dir DIR] [--shard I/N] [--jobs N] [--strategy S] [--by-reference]
       npm run sim -- merge DIR... [--out DIR]
       npm run sim -- shrink SCENARIO --seed N [--strategy S] | FILE [--jobs N] [--runs N]
                               [--out FILE]
       npm run sim -- replay FILE [--verbose] [--html FILE]
       npm run sim -- show FILE
       npm run sim -- debug SCENARIO [--seed N] [--strategy S]

  --strategy S  random: what the scenario draws (if not given). pct: links have priorities, and
                a few fall below all others. hold: one to three kinds of messages are starved.
                guided, with --seeds: three of ten runs go back to a rare moment of an earlier
                one and take another turn there
  --novelty     counts the abstract states that the batch has met (with guided: always)
  --hours N     a campaign: goes on with ever new seeds until the time is up (or --seeds are), and
                keeps in DIR (campaign) what it has done; the same command goes on where an
                earlier one was stopped. Failures are told once for each kind
  --shard I/N   of N machines this one, from 0: each takes every Nth seed
  merge         writes one report (into "merged") of campaigns of several machines
  --save FILE   writes the run's schedule: what was decided in it, for later versions to replay
  shrink        cuts a failing run down to the few decisions that make it fail, and writes
                their schedule; the same for any number of jobs, after at most --runs runs (2000)
  show          prints a schedule in words
  debug         goes through a run event by event, forth and back; "help" lists its commands
  web           serves a page in which you drive a cluster by hand (--port 0: any that is free),
                or writes it to a file; the same engine runs in the browser
`;

const VALUE_FLAGS = [
  "--seed",
  "--seeds",
  "--jobs",
  "--json",
  "--html",
  "--save",
  "--runs",
  "--out",
  "--port",
  "--strategy",
  ...CAMPAIGN_FLAGS,
];
const PLAIN_FLAGS = ["--verbose", "--twice", "--by-reference", "--novelty", "--help"];

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
  const [verb] = words;
  if (verb === "show" || verb === "replay" || verb === "shrink") {
    return withSchedule(verb, words.slice(1), names, flags);
  }
  if (verb === "debug") return debug(words.slice(1), names, flags);
  if (verb === "web") {
    return commandOf(parseWeb(words.slice(1), flags));
  }
  if (verb === "merge") return commandOf(parseMerge(words.slice(1), flags));
  if (flags.has("--port")) return wrong("flag --port goes with web");
  const [name, extra] = words;
  if (extra !== undefined) return wrong(`unexpected argument "${extra}"`);
  if (flags.has("--novelty") && name !== "all" && !flags.has("--seeds")) {
    return wrong("flag --novelty goes with --seeds");
  }
  if (name === undefined) return wrong('which scenario? "npm run sim -- list" shows them');
  if (name === "list") return { ok: true, command: { type: "list" } };
  if (name !== "all" && !names.includes(name)) {
    return wrong(`unknown scenario "${name}"; "npm run sim -- list" shows them`);
  }
  if (isCampaign(flags)) return commandOf(parseCampaign(name === "all" ? names : [name], flags));
  return name === "all" || flags.has("--seeds") ? many(name, names, flags) : one(name, flags);
}

function one(scenario: string, flags: ReadonlyMap<string, string>): Parsed {
  for (const flag of ["--jobs", "--json"]) {
    if (flags.has(flag)) return wrong(`flag ${flag} goes with --seeds`);
  }
  for (const flag of ["--runs", "--out"]) {
    if (flags.has(flag)) return wrong(`flag ${flag} goes with shrink`);
  }
  const seed = wholeNumber(flags.get("--seed") ?? "1");
  if (seed === undefined) return wrongSeed(flags.get("--seed") ?? "");
  const strategy = parseStrategy(flags.get("--strategy") ?? "random");
  if (strategy === undefined) return wrongStrategy(flags);
  const command = {
    type: "one",
    scenario,
    seed: String(seed),
    strategy,
    byReference: flags.has("--by-reference"),
    twice: flags.has("--twice"),
    verbose: flags.has("--verbose"),
    html: flags.get("--html"),
    save: flags.get("--save"),
  } as const;
  return { ok: true, command };
}

/** The commands that are about schedules. */
function withSchedule(
  verb: "show" | "replay" | "shrink",
  words: readonly string[],
  names: readonly string[],
  flags: ReadonlyMap<string, string>,
): Parsed {
  const allowed: readonly string[] = {
    show: [],
    replay: ["--verbose", "--html"],
    shrink: ["--seed", "--strategy", "--jobs", "--runs", "--out"],
  }[verb];
  const strange = [...flags.keys()].find((flag) => !allowed.includes(flag));
  if (strange !== undefined) return wrong(`flag ${strange} does not go with ${verb}`);
  const [what, extra] = words;
  if (extra !== undefined) return wrong(`unexpected argument "${extra}"`);
  if (what === undefined) return wrong(`${verb}: which file?`);
  if (verb === "show") return { ok: true, command: { type: "show", file: what } };
  if (verb === "replay") {
    const verbose = flags.has("--verbose");
    return {
      ok: true,
      command: { type: "replay", file: what, verbose, html: flags.get("--html") },
    };
  }
  const jobs = wholeNumber(flags.get("--jobs") ?? "1");
  if (jobs === undefined || jobs < 1 || jobs > 256) return wrongJobs(flags);
  const runs = wholeNumber(flags.get("--runs") ?? "2000");
  if (runs === undefined || runs < 1) {
    return wrong(`malformed number of runs "${flags.get("--runs")}": a whole number above 0`);
  }
  const seed = wholeNumber(flags.get("--seed") ?? "1");
  if (seed === undefined) return wrongSeed(flags.get("--seed") ?? "");
  const isFile = !names.includes(what);
  if (isFile && (flags.has("--seed") || flags.has("--strategy"))) {
    return wrong(`unknown scenario "${what}"; "npm run sim -- list" shows them`);
  }
  const strategy = parseStrategy(flags.get("--strategy") ?? "random");
  if (strategy === undefined) return wrongStrategy(flags);
  const file = isFile ? what : undefined;
  const out = flags.get("--out") ?? (isFile ? what : `${what}-${seed}.schedule`);
  const command = {
    type: "shrink",
    file,
    scenario: what,
    seed: String(seed),
    strategy,
    jobs,
    runs,
    out,
  } as const;
  return { ok: true, command };
}

function debug(
  [scenario, extra]: readonly string[],
  names: readonly string[],
  flags: ReadonlyMap<string, string>,
): Parsed {
  if (scenario === undefined) return wrong("debug: which scenario?");
  if (extra !== undefined) return wrong(`unexpected argument "${extra}"`);
  if (!names.includes(scenario)) {
    return wrong(`unknown scenario "${scenario}"; "npm run sim -- list" shows them`);
  }
  const strange = [...flags.keys()].find((flag) => flag !== "--seed" && flag !== "--strategy");
  if (strange !== undefined) return wrong(`flag ${strange} does not go with debug`);
  const seed = wholeNumber(flags.get("--seed") ?? "1");
  if (seed === undefined) return wrongSeed(flags.get("--seed") ?? "");
  const strategy = parseStrategy(flags.get("--strategy") ?? "random");
  if (strategy === undefined) return wrongStrategy(flags);
  return { ok: true, command: { type: "debug", scenario, seed: String(seed), strategy } };
}

function many(name: string, names: readonly string[], flags: ReadonlyMap<string, string>): Parsed {
  for (const flag of ["--seed", "--twice", "--verbose", "--html", "--save", "--runs", "--out"]) {
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
    return wrongJobs(flags);
  }
  const text = flags.get("--strategy") ?? "random";
  const strategy = text === "guided" ? ({ type: text } as const) : parseStrategy(text);
  if (strategy === undefined) return wrongStrategy(flags);
  const command = {
    type: "many",
    scenarios: name === "all" ? names : [name],
    first,
    last,
    jobs,
    json: flags.get("--json"),
    byReference: flags.has("--by-reference"),
    novelty: flags.has("--novelty"),
    strategy,
  } as const;
  return { ok: true, command };
}

const wrongJobs = (flags: ReadonlyMap<string, string>): Parsed =>
  wrong(`malformed number of jobs "${flags.get("--jobs")}": from 1 to 256`);

const wrongStrategy = (flags: ReadonlyMap<string, string>): Parsed =>
  wrong(`malformed strategy "${flags.get("--strategy")}": random, pct, hold, guided with --seeds`);

const wrongSeed = (text: string): Parsed =>
  wrong(`malformed seed "${text}": a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);

const commandOf = (parsed: Command | string): Parsed =>
  typeof parsed === "string" ? wrong(parsed) : { ok: true, command: parsed };

const wrong = (problem: string): Parsed => ({ ok: false, problem });
