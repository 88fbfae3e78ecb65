/**
 * What a leader knows of one other member, and what it may send it.
 *
 *     probe      one append at a time, until the place where the logs agree is found
 *     replicate  appends stream ahead of their answers, within the limits of the window
 *     snapshot   nothing, until the snapshot that replaces the missing entries has arrived
 *
 * An accepted append leads from probe to replicate, a rejected or lost one back; a follower behind
 * the leader's first entry is in snapshot.
 */
import type { LogIndex, PeerId } from "../base/ids.ts";
import { unreachable } from "../base/assert.ts";
import { maxIndex, nextIndex } from "../base/ids.ts";

export interface Progress {
  readonly peer: PeerId;
  readonly state: "probe" | "replicate" | "snapshot";
  /**
   * Highest index known to be durable on the member and equal to the leader's log. Never falls in a
   * term.
   */
  readonly matched: LogIndex;
  /** The next entry to send. */
  readonly next: LogIndex;
  /** Probe: an append is out and neither its answer nor a heartbeat's has come back. */
  readonly waiting: boolean;
  /** Replicate: the unanswered appends with entries, oldest first, as (last index, bytes) pairs. */
  readonly inflight: readonly number[];
  readonly inflightBytes: number;
  /** Snapshot: the least index the snapshot must have; else 0. */
  readonly pendingSnapshot: LogIndex;
  /** The commit index in the latest append sent. */
  readonly commitSent: LogIndex;
  /** When anything last came from the member, on the leader's clock. Check-quorum counts by it. */
  readonly heardMs: number;
  /** The latest `sentAt` that the member has echoed. The lease counts by it. */
  readonly echoedMs: number;
  /** The latest read-index round that the member has confirmed. */
  readonly round: number;
  /** When the member last said that it has lost its data, on the leader's clock. */
  readonly lackingMs: number;
}

/** A `Progress` that belongs to the current step alone. */
export type MutableProgress = { -readonly [K in keyof Progress]: Progress[K] };

/** Before any leader's clock. */
export const NEVER_MS: number = Number.MIN_SAFE_INTEGER;

/** A member about which a new leader, or the leader that adds it, knows nothing yet. */
export function newProgress(peer: PeerId, next: LogIndex, nowMs: number): MutableProgress {
  return {
    peer,
    state: "probe",
    matched: 0 as LogIndex,
    next,
    waiting: false,
    inflight: NO_INFLIGHT,
    inflightBytes: 0,
    pendingSnapshot: 0 as LogIndex,
    commitSent: 0 as LogIndex,
    // In its favour: it has a whole election timeout to be heard.
    heardMs: nowMs,
    echoedMs: NEVER_MS,
    round: 0,
    lackingMs: NEVER_MS,
  };
}

const NO_INFLIGHT: readonly number[] = [];

export function copyProgress(progress: Progress): MutableProgress {
  return {
    peer: progress.peer,
    state: progress.state,
    matched: progress.matched,
    next: progress.next,
    waiting: progress.waiting,
    inflight: progress.inflight,
    inflightBytes: progress.inflightBytes,
    pendingSnapshot: progress.pendingSnapshot,
    commitSent: progress.commitSent,
    heardMs: progress.heardMs,
    echoedMs: progress.echoedMs,
    round: progress.round,
    lackingMs: progress.lackingMs,
  };
}

/**
 * Whether the member has lost its data: it says so with every heartbeat, until it has a snapshot.
 */
export const isLacking = ({ lackingMs }: Progress, nowMs: number, electionMs: number): boolean =>
  nowMs - lackingMs < electionMs;

/** Whether no append has yet told the member, which takes any, that entries up to there count. */
export const lacksCommit = ({ state, commitSent }: Progress, commit: LogIndex): boolean =>
  state === "replicate" && commitSent < commit;

/** The limits of the window to one member. */
export interface Window {
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
}

/** Whether nothing with entries may be sent now. */
export function isPaused(progress: Progress, window: Window): boolean {
  switch (progress.state) {
    case "probe":
      return progress.waiting;
    case "replicate":
      return (
        progress.inflight.length >= 2 * window.maxInflightMessages ||
        progress.inflightBytes >= window.maxInflightBytes
      );
    case "snapshot":
      return true;
    default:
      return unreachable(progress.state);
  }
}

/** Notes an append up to `last` with `bytes` of entries. */
export function sent(progress: MutableProgress, last: LogIndex, bytes: number): void {
  if (progress.state === "replicate") {
    progress.next = nextIndex(last);
    progress.inflight = [...progress.inflight, last, bytes];
    progress.inflightBytes += bytes;
  } else {
    progress.waiting = true;
  }
}

/** Notes that the member holds everything up to `index`. Returns whether that is news. */
export function acknowledged(progress: MutableProgress, index: LogIndex): boolean {
  const news = index > progress.matched;
  if (news) progress.matched = index;
  progress.next = maxIndex(progress.next, nextIndex(index));
  let first = 0;
  let bytes = progress.inflightBytes;
  const { inflight } = progress;
  while (first < inflight.length && inflight[first]! <= index) {
    bytes -= inflight[first + 1]!;
    first += 2;
  }
  if (first > 0) {
    progress.inflight = first === inflight.length ? NO_INFLIGHT : inflight.slice(first);
    progress.inflightBytes = bytes;
  }
  return news;
}

/** Sends one at a time from `next` on. */
export function becomeProbe(progress: MutableProgress, next: LogIndex): void {
  progress.state = "probe";
  progress.next = maxIndex(next, nextIndex(progress.matched));
  progress.waiting = false;
  progress.inflight = NO_INFLIGHT;
  progress.inflightBytes = 0;
  progress.pendingSnapshot = 0 as LogIndex;
}

/** Streams from behind what matches. */
export function becomeReplicate(progress: MutableProgress): void {
  becomeProbe(progress, nextIndex(progress.matched));
  progress.state = "replicate";
}

/** Waits for a snapshot at or above `atLeast`. */
export function becomeSnapshot(progress: MutableProgress, atLeast: LogIndex): void {
  becomeProbe(progress, progress.next);
  progress.state = "snapshot";
  progress.pendingSnapshot = atLeast;
}
