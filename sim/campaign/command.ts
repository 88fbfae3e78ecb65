/** The command lines of campaigns: how long, which seeds, where, and what is to be merged. */
import { wholeNumber } from "../cli/number.ts";
import { parseStrategy, strategyText } from "../search/strategy.ts";
import { NO_LAST, type Plan, type Shard } from "./plan.ts";

export interface CampaignCommand {
  readonly type: "campaign";
  readonly plan: Plan;
  /** Where it keeps what it has done. */
  readonly directory: string;
  /** What all its sessions may take together; Infinity where only the seeds end it. */
  readonly seconds: number;
  readonly jobs: number;
}

export interface MergeCommand {
  readonly type: "merge";
  readonly directories: readonly string[];
  /** Where the report goes. */
  readonly out: string;
}

const UNITS: readonly (readonly [flag: string, seconds: number])[] = [
  ["--hours", 3600],
  ["--minutes", 60],
  ["--seconds", 1],
];
/** Flags that make a campaign of a batch. */
const OWN: readonly string[] = [...UNITS.map(([flag]) => flag), "--dir", "--shard"];
const ALSO: readonly string[] = ["--seeds", "--jobs", "--strategy", "--by-reference"];

/** All flags of campaigns that have a value. */
export const CAMPAIGN_FLAGS: readonly string[] = OWN;

export const isCampaign = (flags: ReadonlyMap<string, string>): boolean =>
  OWN.some((flag) => flags.has(flag));

/** What the flags mean; what is wrong with them where they mean nothing. */
export function parseCampaign(
  scenarios: readonly string[],
  flags: ReadonlyMap<string, string>,
): CampaignCommand | string {
  const strange = [...flags.keys()].find((flag) => !OWN.includes(flag) && !ALSO.includes(flag));
  if (strange === "--json") return "flag --json: a campaign writes report.json into its directory";
  if (strange !== undefined) return `flag ${strange} does not go with a campaign`;
  const seconds = parseTime(flags);
  if (typeof seconds === "string") return seconds;
  if (seconds === undefined && !flags.has("--seeds")) {
    return "how long? --hours N or --minutes N, or --seeds A..B";
  }
  const seeds = parseSeeds(flags.get("--seeds") ?? "1..");
  if (typeof seeds === "string") return seeds;
  if (seeds.last === NO_LAST && seconds === undefined) {
    return "how long? --hours N or --minutes N, or --seeds A..B with an end";
  }
  const shard = parseShard(flags.get("--shard") ?? "0/1");
  if (typeof shard === "string") return shard;
  const jobs = wholeNumber(flags.get("--jobs") ?? "1");
  if (jobs === undefined || jobs < 1 || jobs > 256) {
    return `malformed number of jobs "${flags.get("--jobs")}": from 1 to 256`;
  }
  const text = flags.get("--strategy") ?? "random";
  if (text === "guided") return "strategy guided goes in rounds, with --seeds and no campaign";
  const strategy = parseStrategy(text);
  if (strategy === undefined) return `malformed strategy "${text}": random, pct, hold`;
  const directory = flags.get("--dir") ?? "campaign";
  if (directory === "") return "flag --dir needs a value";
  const byReference = flags.has("--by-reference");
  const plan: Plan = { scenarios, ...seeds, shard, strategy: strategyText(strategy), byReference };
  return { type: "campaign", plan, directory, seconds: seconds ?? Infinity, jobs };
}

/** What `merge` is given. */
export function parseMerge(
  directories: readonly string[],
  flags: ReadonlyMap<string, string>,
): MergeCommand | string {
  const strange = [...flags.keys()].find((flag) => flag !== "--out");
  if (strange !== undefined) return `flag ${strange} does not go with merge`;
  if (directories.length === 0) return "merge: which directories?";
  const again = directories.find((one, at) => directories.indexOf(one) < at);
  if (again !== undefined) return `merge: ${again} is named twice`;
  return { type: "merge", directories, out: flags.get("--out") ?? "merged" };
}

function parseTime(flags: ReadonlyMap<string, string>): number | string | undefined {
  let sum: number | undefined;
  for (const [flag, seconds] of UNITS) {
    const text = flags.get(flag);
    if (text === undefined) continue;
    if (!/^\d{1,6}(\.\d{1,6})?$/.test(text) || Number(text) === 0) {
      return `malformed time "${flag} ${text}": a number above 0, like 2 or 0.5`;
    }
    sum = (sum ?? 0) + Number(text) * seconds;
  }
  return sum;
}

function parseSeeds(range: string): Pick<Plan, "first" | "last"> | string {
  const [from = "", to, ...rest] = range.split("..");
  const first = wholeNumber(from);
  const last = to === "" ? NO_LAST : wholeNumber(to ?? from);
  if (first === undefined || last === undefined || rest.length > 0 || last < first) {
    return `malformed seeds "${range}": a range like 1..500, or 1000.. without an end`;
  }
  return { first, last };
}

function parseShard(text: string): Shard | string {
  const [index, count, ...rest] = text.split("/").map(wholeNumber);
  if (index === undefined || count === undefined || rest.length > 0 || index >= count) {
    return `malformed shard "${text}": like 0/16 for the first of sixteen, 15/16 for the last`;
  }
  return { index, count };
}
