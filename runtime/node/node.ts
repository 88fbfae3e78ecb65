/**
 * What a store and a placement member have in common as processes: how they start and how they
 * stop.
 */
import { AssertionError } from "../../engine/base/assert.ts";
import type { LogEffect } from "../../engine/base/log.ts";
import type { Logger } from "../log.ts";

/** A node that serves. */
export interface RunningNode {
  /** Where it listens, for people: a name and an address each. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Takes no more calls, finishes those under way within a bound, and closes the disk. */
  stop(): Promise<void>;
}

export type Started =
  | { readonly ok: true; readonly node: RunningNode }
  /** One line for people. Nothing is left open. */
  | { readonly ok: false; readonly detail: string };

/** Called once when a node cannot go on: the process is to end with status 1. */
export type Failed = (reason: string) => void;

/** Calls under way get this long when a node is asked to stop. */
export const DRAIN_MS = 3000;

export const logEffect = (logger: Logger, { level, message, fields }: LogEffect): void =>
  logger.log(level, message, fields);

/** Says what ended the node, with the place in the program where that is what matters. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n").slice(0, 6).join(" | ") ?? error.message;
  return error instanceof AssertionError ? `assertion failed: ${place}` : place;
}
