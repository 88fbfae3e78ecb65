/** What somebody can do to a cluster that runs, as plain data, and the words for it. */
import { unreachable } from "../../engine/base/assert.ts";
import type { NamedLink } from "../faults/targets.ts";

/** Raw keys are linearizable one by one; transactions see one instant of all of theirs. */
export type Mode = "raw" | "transactional";

export type Deed =
  /** It stays down until somebody starts it. `power`: what was not synced may be lost. */
  | { readonly type: "crash"; readonly machine: string; readonly power: boolean }
  | { readonly type: "start"; readonly machine: string }
  | { readonly type: "pause"; readonly machine: string }
  | { readonly type: "resume"; readonly machine: string }
  | { readonly type: "cut"; readonly links: readonly NamedLink[] }
  | { readonly type: "mend"; readonly links: readonly NamedLink[] }
  /** Both clocks are too fast by so much; negative is slow. */
  | { readonly type: "clock_drift"; readonly machine: string; readonly millionths: number }
  | { readonly type: "clock_step"; readonly machine: string; readonly us: number }
  | { readonly type: "clock_freeze"; readonly machine: string }
  /** It runs on from where it stood. */
  | { readonly type: "clock_thaw"; readonly machine: string }
  /** 1 is its usual speed. */
  | { readonly type: "slow_disk"; readonly machine: string; readonly times: number }
  | { readonly type: "failing_sync"; readonly machine: string }
  | { readonly type: "full_disk"; readonly machine: string }
  | { readonly type: "mend_disk"; readonly machine: string }
  /** Every fault ends, and everybody is started. */
  | { readonly type: "heal" }
  | Operation;

/** What the console does. */
export type Operation =
  | { readonly type: "put"; readonly mode: Mode; readonly key: string; readonly value: string }
  | { readonly type: "get"; readonly mode: Mode; readonly key: string }
  | { readonly type: "delete"; readonly mode: Mode; readonly key: string }
  /** Keys that begin with `key`, `MOST_PAIRS` of them. */
  | { readonly type: "scan"; readonly mode: Mode; readonly key: string };

export const OPERATIONS: readonly Operation["type"][] = ["put", "get", "delete", "scan"];

export const isOperation = (deed: Deed): deed is Operation =>
  (OPERATIONS as readonly string[]).includes(deed.type);

/** A deed in words. */
export function describeDeed(deed: Deed): string {
  switch (deed.type) {
    case "crash":
      return `${deed.machine} ${deed.power ? "loses power" : "crashes"}`;
    case "start":
      return `${deed.machine} is started`;
    case "pause":
      return `${deed.machine} stands still`;
    case "resume":
      return `${deed.machine} goes on`;
    case "cut":
      return `cut: ${linksText(deed.links)}`;
    case "mend":
      return `mended: ${linksText(deed.links)}`;
    case "clock_drift":
      return `the clocks of ${deed.machine} run ${rateText(deed.millionths)}`;
    case "clock_step":
      return `the wall clock of ${deed.machine} steps by ${deed.us / 1_000_000} s`;
    case "clock_freeze":
      return `the wall clock of ${deed.machine} stands still`;
    case "clock_thaw":
      return `the wall clock of ${deed.machine} goes on`;
    case "slow_disk":
      return `the disk of ${deed.machine} ${deed.times === 1 ? "has its usual speed" : `is ${deed.times} times slower`}`;
    case "failing_sync":
      return `the disk of ${deed.machine} fails its next sync`;
    case "full_disk":
      return `the disk of ${deed.machine} is full`;
    case "mend_disk":
      return `the disk of ${deed.machine} is mended`;
    case "heal":
      return "every fault ends";
    case "put":
      return `${verb(deed)} ${deed.key} = ${deed.value}`;
    case "get":
    case "delete":
    case "scan":
      return `${verb(deed)} ${deed.key}${deed.type === "scan" ? "…" : ""}`;
    default:
      return unreachable(deed);
  }
}

const verb = ({ type, mode }: Operation): string =>
  mode === "raw" ? type : `transaction: ${type}`;

const rateText = (millionths: number): string =>
  millionths === 0
    ? "right"
    : `${millionths < 0 ? "slow" : "fast"} by ${Math.abs(millionths) / 10_000} %`;

/**
 * Links by the names of their ends, both directions of a pair as one, those of one node together.
 */
function linksText(links: readonly NamedLink[]): string {
  const [first] = links;
  const hub = first?.find((name) => links.every((link) => link.includes(name)));
  if (hub !== undefined) return linksOf(hub, links);
  return links
    .flatMap(([from, to]) => {
      if (!has(links, to, from)) return `${from} → ${to}`;
      return from < to ? `${from} ↔ ${to}` : [];
    })
    .join(", ");
}

function linksOf(hub: string, links: readonly NamedLink[]): string {
  const others = [...new Set(links.flat())].filter((name) => name !== hub);
  const kinds = [
    ["↔", others.filter((name) => has(links, hub, name) && has(links, name, hub))],
    ["→", others.filter((name) => has(links, hub, name) && !has(links, name, hub))],
    ["←", others.filter((name) => !has(links, hub, name))],
  ] as const;
  return kinds
    .filter(([, names]) => names.length > 0)
    .map(([sign, names]) => `${hub} ${sign} ${names.join(", ")}`)
    .join("; ");
}

const has = (links: readonly NamedLink[], from: string, to: string): boolean =>
  links.some(([a, b]) => a === from && b === to);
