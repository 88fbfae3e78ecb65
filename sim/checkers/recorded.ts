/** All that is judged at the end of a run of recorded transactions, told where it is violated. */
import type { World } from "../model.ts";
import type { Desk, Errand, Recorded } from "../workloads/isolation/desk.ts";
import { countOutcome } from "../workloads/history.ts";
import { checkCommittedReads } from "./transactions/committed-reads.ts";
import { type Anomaly, describeTransaction, type Level } from "./transactions/history.ts";
import { checkIsolation } from "./transactions/isolation.ts";
import { checkSnapshots } from "./transactions/snapshots.ts";
import { newestAt, type Timeline, timelinesOf } from "./transactions/timelines.ts";
import { type CheckName, passed, violated } from "./verdict.ts";
import { auditVersions, type StoredVersion } from "./versions.ts";

const STRONG: Level = { isolation: "snapshot", order: "real time" };
const SERIALIZABLE: Level = { isolation: "serializable", order: "real time" };

/** Anomalies that are told; the first one mostly explains the others. */
const TOLD = 3;

export function checkRecorded(world: World, desk: Desk, versions: readonly StoredVersion[]): void {
  const audited = auditVersions(desk.history, versions);
  if (!audited.ok) return violated(world, "versions", audited.problem);
  passed(world, "versions", versions.length);
  const { history } = audited;
  judge(world, "isolation by timestamps", history, checkSnapshots(history));
  judge(world, "isolation by data", history, checkIsolation(history, STRONG));
  judge(world, "committed reads", history, checkCommittedReads(history, desk.looks));
  const locking = only(history, "locking skew");
  judge(world, "locked reads", locking, checkIsolation(locking, SERIALIZABLE));
  const timelines = timelinesOf(history);
  checkCounters(world, desk, timelines);
  checkRefusals(world, desk, timelines);
  const skews = checkIsolation(only(history, "skew"), SERIALIZABLE).length;
  for (let i = 0; i < skews; i++) countOutcome(world.checks.history, "write skew", "ok");
}

const only = (history: readonly Recorded[], errand: Errand): readonly Recorded[] =>
  history.filter((one) => one.errand === errand);

function judge(
  world: World,
  check: CheckName,
  history: readonly Recorded[],
  anomalies: readonly Anomaly[],
): void {
  if (anomalies.length === 0) return passed(world, check, history.length);
  const told = anomalies.slice(0, TOLD).map(({ name, text }) => `${name}: ${text}`);
  const more = anomalies.length > TOLD ? [`and ${anomalies.length - TOLD} more`] : [];
  const all = [...told, ...more].join("\n");
  const named = history.filter(({ name }) => new RegExp(`\\b${name}\\b`, "u").test(all));
  const who = named.map((one) => {
    const reason = one.reason === "" ? "" : ` (${one.reason})`;
    return `  ${one.errand}, ${one.how}${reason}: ${describeTransaction(one)}`;
  });
  violated(world, check, [all, "whole transactions:", ...who].join("\n"));
}

/** In the order of their commits counters go up by one. */
function checkCounters(world: World, desk: Desk, timelines: ReadonlyMap<string, Timeline>): void {
  for (const { key, versions, elements } of timelines.values()) {
    if (!key.startsWith(`${desk.counters.prefix}/`)) continue;
    let count = 0;
    for (const { isLock, from, transaction, commitTs } of versions) {
      if (isLock) continue;
      count += 1;
      const stands = desk.counts.get(elements[from] ?? 0);
      if (stands === count) continue;
      const text = `${transaction.name} sets ${key} to ${stands} at ${commitTs}, after ${count - 1} others`;
      return violated(world, "counters", text);
    }
    passed(world, "counters", count);
  }
}

/** An insert is refused only where the key was there at some time since the transaction began. */
function checkRefusals(world: World, desk: Desk, timelines: ReadonlyMap<string, Timeline>): void {
  for (const { name, key, startTs, end } of desk.refusals) {
    const timeline = timelines.get(key);
    const before = timeline === undefined ? undefined : newestAt(timeline, startTs);
    const later = timeline?.versions.filter(
      ({ commitTs, transaction }) => commitTs > startTs && transaction.begin < end,
    );
    const found = [before, ...(later ?? [])].some((one) => one !== undefined && one.from < one.to);
    if (!found) {
      const text = `${name}, begun at ${startTs}, is told that ${key} exists, which it never did`;
      return violated(world, "inserts", text);
    }
    passed(world, "inserts");
  }
}
