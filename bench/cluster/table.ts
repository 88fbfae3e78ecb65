/** Prints what the rounds of the cluster benchmark gave: medians, ratios and the targets. */
import { median, printTable } from "../measure.ts";
import type { Report } from "./loadgen.ts";

/** For each system, the reports of every round by label. */
export interface Samples {
  readonly etcd: Map<string, Report[]>;
  readonly rutile: Map<string, Report[]>;
}

/** Medians over the rounds. CPU is that of all servers, PD included. */
interface Figures {
  readonly opsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly opsPerCpuSecond: number;
  readonly pdShare: number;
}

/** A row of Rutile is compared with a row of etcd by one figure. */
interface Comparison {
  readonly rutile: string;
  readonly etcd: string;
  /** Operations per server CPU second, or the median latency. */
  readonly by: "cpu" | "latency";
  /**
   * The least ratio that is asked for; of latency, the greatest. Undefined: told for information.
   */
  readonly target?: number;
}

const comparisons: readonly Comparison[] = [
  { rutile: "put", etcd: "put", by: "cpu", target: 1.5 },
  { rutile: "batched put", etcd: "put", by: "cpu", target: 4 },
  { rutile: "get", etcd: "get", by: "cpu", target: 3 },
  { rutile: "batched get", etcd: "get", by: "cpu", target: 10 },
  { rutile: "lone put", etcd: "lone put", by: "latency", target: 1 },
  { rutile: "lone get", etcd: "lone get", by: "latency" },
];

export function printSamples(samples: Samples): void {
  console.log("\nmedians of the rounds; CPU is that of all servers, PD included");
  printTable(
    ["system, load", "ops/s", "p50 ms", "p99 ms", "ops/CPU-s", "CPU us/op", "PD's share"],
    (["etcd", "rutile"] as const).flatMap((system) =>
      [...samples[system]].map(([label, reports]) => figureRow(`${system}, ${label}`, reports)),
    ),
  );
  const compared = comparisons.flatMap((comparison) => comparisonRow(comparison, samples));
  if (compared.length === 0) return;
  console.log("\nRutile over etcd");
  printTable(["Rutile", "etcd", "by", "ratio", "target", ""], compared);
}

function figureRow(title: string, reports: readonly Report[]): string[] {
  const found = figures(reports);
  return [
    title,
    found.opsPerSecond.toFixed(0),
    (found.p50Us / 1000).toFixed(2),
    (found.p99Us / 1000).toFixed(2),
    found.opsPerCpuSecond.toFixed(0),
    (1e6 / found.opsPerCpuSecond).toFixed(1),
    `${(100 * found.pdShare).toFixed(1)} %`,
  ];
}

/** One row, or none where a system was not run. */
function comparisonRow(comparison: Comparison, samples: Samples): string[][] {
  const ours = samples.rutile.get(comparison.rutile);
  const theirs = samples.etcd.get(comparison.etcd);
  if (ours === undefined || theirs === undefined) return [];
  const [a, b] = [figures(ours), figures(theirs)];
  const byCpu = comparison.by === "cpu";
  const ratio = byCpu ? a.opsPerCpuSecond / b.opsPerCpuSecond : a.p50Us / b.p50Us;
  const { target } = comparison;
  const named = [comparison.rutile, comparison.etcd, byCpu ? "ops/CPU-s" : "p50"];
  if (target === undefined) return [[...named, ratio.toFixed(2), "-", ""]];
  const met = byCpu ? ratio >= target : ratio <= target;
  const bound = `${byCpu ? ">=" : "<="} ${target}`;
  return [[...named, ratio.toFixed(2), bound, met ? "met" : "MISSED"]];
}

function figures(reports: readonly Report[]): Figures {
  const servers = (report: Report): number =>
    Object.values(report.cpu).reduce((sum, seconds) => sum + seconds, 0);
  return {
    opsPerSecond: median(reports.map(({ ops, seconds }) => ops / seconds)),
    p50Us: median(reports.map(({ p50Us }) => p50Us)),
    p99Us: median(reports.map(({ p99Us }) => p99Us)),
    opsPerCpuSecond: median(reports.map((report) => report.ops / servers(report))),
    pdShare: median(reports.map((report) => (report.cpu["pd"] ?? 0) / servers(report))),
  };
}
