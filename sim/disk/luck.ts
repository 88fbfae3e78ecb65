/**
 * The decisions of one machine's disk: `disk/MACHINE/LANE/N` is how long the N-th work of a lane
 * takes and what of it fails. Jobs share the lane `job`.
 */
import type { Decisions } from "../decisions/decisions.ts";
import { baseOf, isDrawn } from "../decisions/decisions.ts";
import { MEDIAN, type QuickRandom, quickRandom, type Random } from "../random.ts";
import type { Track } from "./tracks.ts";

/** Mutable: counts what was begun and what has ended. */
interface Series {
  beginnings: number;
  endings: number;
  readonly drawn: boolean;
  begun: number;
  ended: number;
}

export interface DiskLuck {
  readonly decisions: Decisions;
  readonly name: string;
  readonly series: Map<string, Series>;
  readonly random: QuickRandom;
}

export const diskLuckOf = (decisions: Decisions, name: string): DiskLuck => ({
  decisions,
  name: `disk/${name}`,
  series: new Map(),
  random: quickRandom(),
});

/** What the next work to begin on a track draws from, until the next call. */
export function onBeginning(luck: DiskLuck, track: Track): Random {
  const series = seriesOf(luck, track);
  const number = series.begun;
  series.begun = number + 1;
  return series.drawn ? luck.random.reseed(series.beginnings, number) : MEDIAN;
}

/** What the next work to end on a track draws from, until the next call. */
export function onEnding(luck: DiskLuck, track: Track): Random {
  const series = seriesOf(luck, track);
  const number = series.ended;
  series.ended = number + 1;
  return series.drawn ? luck.random.reseed(series.endings, number) : MEDIAN;
}

function seriesOf({ decisions, name, series }: DiskLuck, track: Track): Series {
  const lane = typeof track === "string" ? track : "job";
  const known = series.get(lane);
  if (known !== undefined) return known;
  const id = `${name}/${lane}`;
  decisions.takes?.series.add(id);
  const made = {
    beginnings: baseOf(decisions, id),
    endings: baseOf(decisions, `${id}/end`),
    drawn: isDrawn(decisions, id),
    begun: 0,
    ended: 0,
  };
  series.set(lane, made);
  return made;
}

/** The decisions draw from another seed from now on. */
export function reseedDisk({ decisions, name, series }: DiskLuck): void {
  for (const [lane, one] of series) {
    one.beginnings = baseOf(decisions, `${name}/${lane}`);
    one.endings = baseOf(decisions, `${name}/${lane}/end`);
  }
}
