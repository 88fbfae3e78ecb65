/** Prints what the rounds gave: medians, ratios and the targets. */
import { median, printTable } from "../measure.ts";
import type { Load, Report } from "./load.ts";

/** The reports of all rounds by load. */
export class Samples {
  readonly #reports = new Map<string, Report[]>();

  add({ system, label }: Load, report: Report): void {
    const name = nameOf(system, label);
    this.#reports.set(name, [...(this.#reports.get(name) ?? []), report]);
  }

  names(): readonly string[] {
    return [...this.#reports.keys()];
  }

  of(name: string): readonly Report[] {
    return this.#reports.get(name) ?? [];
  }
}

const nameOf = (system: string, label: string): string => `${system}, ${label}`;

/** One load held against another. */
export interface Comparison {
  readonly ours: string;
  readonly peer: string;
  /** Operations per CPU-second of the servers, or CPU of the client for one operation. */
  readonly by: "server" | "client";
  /** The least ratio, of the client's CPU the greatest. Undefined: told for information. */
  readonly target?: number;
}

interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverUs: number;
  readonly clientUs: number;
}

function figuresOf(reports: readonly Report[]): Figures {
  const over = (of: (report: Report) => number): number => median(reports.map(of));
  return {
    perSecond: over(({ operations, seconds }) => operations / seconds),
    p50Ms: over(({ p50Ms }) => p50Ms),
    p99Ms: over(({ p99Ms }) => p99Ms),
    serverUs: over(({ serverCpu, operations }) => (1e6 * serverCpu) / operations),
    clientUs: over(({ clientCpu, operations }) => (1e6 * clientCpu) / operations),
  };
}

/** One line for one window, as it happens. */
export function describe({ system, label }: Load, report: Report): string {
  const { perSecond, p50Ms, p99Ms, serverUs, clientUs } = figuresOf([report]);
  return (
    `${nameOf(system, label)}: ${perSecond.toFixed(0)}/s, p50 ${p50Ms.toFixed(2)} ms, ` +
    `p99 ${p99Ms.toFixed(1)} ms, CPU us an operation: ` +
    `servers ${serverUs.toFixed(1)}, client ${clientUs.toFixed(1)}`
  );
}

/** What was measured, by load. */
export function printSamples(samples: Samples): void {
  printTable(
    ["load", "a second", "p50 ms", "p99 ms", "a server CPU-s", "server CPU us", "client CPU us"],
    samples.names().map((name) => {
      const found = figuresOf(samples.of(name));
      return [
        name,
        found.perSecond.toFixed(0),
        found.p50Ms.toFixed(2),
        found.p99Ms.toFixed(1),
        (1e6 / found.serverUs).toFixed(0),
        found.serverUs.toFixed(1),
        found.clientUs.toFixed(1),
      ];
    }),
  );
}

/** The ratios of those comparisons both sides of which were measured. */
export function printComparisons(
  samples: Samples,
  title: string,
  comparisons: readonly Comparison[],
): void {
  const rows = comparisons.flatMap((comparison) => rowOf(samples, comparison));
  if (rows.length === 0) return;
  console.log(`\n${title}`);
  printTable(["", "over", "ratio", "target", ""], rows);
}

function rowOf(samples: Samples, { ours, peer, by, target }: Comparison): string[][] {
  const [mine, theirs] = [samples.of(ours), samples.of(peer)];
  if (mine.length === 0 || theirs.length === 0) return [];
  const [a, b] = [figuresOf(mine), figuresOf(theirs)];
  const ratio = by === "server" ? b.serverUs / a.serverUs : a.clientUs / b.clientUs;
  if (target === undefined) return [[ours, peer, ratio.toFixed(2), "-", ""]];
  const met = by === "server" ? ratio >= target : ratio <= target;
  const bound = `${by === "server" ? ">=" : "<="} ${target}`;
  return [[ours, peer, ratio.toFixed(2), bound, met ? "met" : "MISSED"]];
}
