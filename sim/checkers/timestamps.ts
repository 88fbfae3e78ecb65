/**
 * Timestamps are strictly increasing in real time: a grant is greater than every grant that was
 * answered before it was asked for, and no timestamp is granted twice. (Linearizability of a
 * counter, in a form that is cheap enough to check at every answer.)
 */
import type { World } from "../model.ts";
import { passed, violated } from "./verdict.ts";

/** `count` timestamps of one physical part, the last of them (physical, logical). */
export interface Grant {
  readonly physical: number;
  readonly logical: number;
  readonly count: number;
}

/** Mutable: one for each run. */
export interface TimestampChecker {
  /** The greatest timestamp of any answer so far. */
  greatest: Grant | undefined;
  /** All grants, in ascending order. */
  readonly grants: Grant[];
}

export const timestampChecker = (): TimestampChecker => ({ greatest: undefined, grants: [] });

/** What a request made now must exceed. */
export const timestampsRequested = (checker: TimestampChecker): Grant | undefined =>
  checker.greatest;

/** Checks an answer to a request that was made when `floor` was the greatest known. */
export function timestampsGranted(
  world: World,
  client: string,
  floor: Grant | undefined,
  grant: Grant,
): void {
  const { timestamps } = world.checks;
  passed(world, "timestamps");
  const first = grant.logical - grant.count + 1;
  if (grant.count < 1 || first < 0) {
    violated(world, "timestamps", `${client} got ${text(grant)}: not so many logical parts`);
    return;
  }
  if (floor !== undefined && !before(floor, grant)) {
    violated(
      world,
      "timestamps",
      `${client} got ${text(grant)}, but ${text(floor)} had been answered before it asked`,
    );
    return;
  }
  const { grants } = timestamps;
  let at = grants.length;
  while (at > 0 && isLess(grant, grants[at - 1] as Grant)) at -= 1;
  const neighbours = [grants[at - 1], grants[at]];
  for (const other of neighbours) {
    if (other === undefined || before(other, grant) || before(grant, other)) continue;
    violated(world, "timestamps", `${client} got ${text(grant)}, which overlaps ${text(other)}`);
    return;
  }
  grants.splice(at, 0, grant);
  if (timestamps.greatest === undefined || isLess(timestamps.greatest, grant)) {
    timestamps.greatest = grant;
  }
}

/** Whether all of `a` is less than all of `b`. */
const before = (a: Grant, b: Grant): boolean =>
  a.physical < b.physical || (a.physical === b.physical && a.logical < b.logical - b.count + 1);

const isLess = (a: Grant, b: Grant): boolean =>
  a.physical < b.physical || (a.physical === b.physical && a.logical < b.logical);

const text = (grant: Grant): string =>
  `timestamps (${grant.physical}, ${grant.logical - grant.count + 1} to ${grant.logical})`;
