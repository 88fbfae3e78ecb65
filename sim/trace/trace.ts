/**
 * What a run leaves behind: the rolling hash over all its events, and the story of what happened in
 * lines for people. Only rare events (faults, leaders, phases) become lines.
 */
import type { Hash } from "./hash.ts";
import { freshHash, hashText } from "./hash.ts";

export type Topic = "phase" | "fault" | "leader" | "cluster" | "node" | "client" | "check";

export interface Line {
  readonly timeUs: number;
  readonly topic: Topic;
  readonly text: string;
}

/** Mutable: one for each run. */
export interface Trace {
  readonly hash: Hash;
  readonly lines: Line[];
  /** Told each line as it comes, where somebody watches. */
  readonly onLine: ((line: Line) => void) | undefined;
  /** The hash after each event, where two runs are to be compared. */
  readonly recording: Recording | undefined;
}

/** Mutable: one entry for each event. */
export interface Recording {
  readonly hashes: number[];
  /** The events in words. */
  readonly labels: string[];
}

export const traceOf = (onLine: ((line: Line) => void) | undefined, recorded: boolean): Trace => ({
  hash: freshHash(),
  lines: [],
  onLine,
  recording: recorded ? { hashes: [], labels: [] } : undefined,
});

export function narrate(trace: Trace, timeUs: number, topic: Topic, text: string): void {
  const line = { timeUs, topic, text };
  trace.lines.push(line);
  trace.onLine?.(line);
}

export const traceText = (trace: Trace): string => hashText(trace.hash);

/** A line as it is printed. */
export const formatLine = (line: Line): string =>
  `${seconds(line.timeUs).padStart(10)}  ${line.topic.padEnd(7)}  ${line.text}`;

/** Virtual time for people: seconds with milliseconds. */
export const seconds = (timeUs: number): string => `${(timeUs / 1_000_000).toFixed(3)}s`;
