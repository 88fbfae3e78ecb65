/**
 * What a campaign is to run. A directory belongs to one plan and one build: only then can all that
 * lies in it be counted together.
 */

/** One of several that divide the seeds between them. */
export interface Shard {
  /** Counted from 0. */
  readonly index: number;
  readonly count: number;
}

export interface Plan {
  readonly scenarios: readonly string[];
  readonly first: number;
  /** The last seed; the greatest there can be where only time ends the campaign. */
  readonly last: number;
  readonly shard: Shard;
  /** As on the command line. */
  readonly strategy: string;
  readonly byReference: boolean;
}

/** The last seed of a campaign that only time ends. */
export const NO_LAST: number = Number.MAX_SAFE_INTEGER;

/** The seed at this place of the shard, counted from 0; undefined behind the last. */
export function seedAt({ first, last, shard }: Plan, place: number): number | undefined {
  const seed = first + shard.index + place * shard.count;
  return seed <= last ? seed : undefined;
}

export const shardText = ({ index, count }: Shard): string => `${index}/${count}`;

export const seedsText = ({ first, last }: Plan): string =>
  last === NO_LAST ? `${first}..` : `${first}..${last}`;

export function differenceOf(a: Plan, b: Plan): string | undefined {
  const pairs: readonly (readonly [string, string, string])[] = [
    ["scenarios", a.scenarios.join(" "), b.scenarios.join(" ")],
    ["seeds", seedsText(a), seedsText(b)],
    ["shard", shardText(a.shard), shardText(b.shard)],
    ["strategy", a.strategy, b.strategy],
    ["by-reference", String(a.byReference), String(b.byReference)],
  ];
  const pair = pairs.find(([, one, other]) => one !== other);
  return pair === undefined
    ? undefined
    : `${pair[0]} "${shorten(pair[1])}", not "${shorten(pair[2])}"`;
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
