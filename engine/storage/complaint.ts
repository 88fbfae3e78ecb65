/** What the owner of a storage says when the disk refuses writes that it may take later. */
import type { LogEffect } from "../base/log.ts";
import type { Now } from "../base/time.ts";
import type { TreeEffect } from "./lsm/types.ts";

/** A full disk refuses everything many times a second: said once in so many milliseconds. */
const COMPLAIN_EVERY_MS = 10_000;

/** Says so unless it was said a short while ago, at `saidAt`; when it was said last. */
export function complain(
  { now, effects }: { readonly now: Now; readonly effects: { push(effect: LogEffect): unknown } },
  saidAt: number,
  { reason, file }: Extract<TreeEffect, { readonly type: "stalled" }>,
): number {
  if (now.monotonicMs - saidAt < COMPLAIN_EVERY_MS) return saidAt;
  const message = "the disk refuses writes: they are tried again until it takes them";
  effects.push({ type: "log", level: "warn", message, fields: { reason, file } });
  return now.monotonicMs;
}
