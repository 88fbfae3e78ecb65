/**
 * A film: everything that a picture of a run shows, as one plain value that is written to a file
 * and read by the page. Lists of like things are columns: row `i` is what stands at place `i` of
 * each. All times are true times in microseconds since the beginning of the run.
 */

/** Raised where the shape changes; a page shows films of its own version only. */
export const FILM_VERSION = 1;

export interface Film {
  readonly version: number;
  readonly scenario: string;
  readonly seed: string;
  readonly trace: string;
  readonly events: number;
  readonly endUs: number;
  /** When faults ended, if they did. */
  readonly healedUs: number | undefined;
  /** Servers first, then clients; a node's place is its number. */
  readonly nodes: readonly FilmNode[];
  /** Texts that columns refer to by their place. */
  readonly words: readonly string[];
  readonly messages: MessageColumns;
  readonly calls: CallColumns;
  readonly operations: OperationColumns;
  readonly statuses: StatusColumns;
  readonly states: StateColumns;
  readonly clocks: ClockColumns;
  readonly faults: readonly FilmFault[];
  readonly lines: readonly FilmLine[];
  readonly violation: FilmViolation | undefined;
  /** Oldest rows that were given up because there were too many, by kind. */
  readonly leftOut: { readonly messages: number; readonly calls: number; readonly states: number };
}

export interface FilmNode {
  readonly name: string;
  readonly kind: "store" | "placement" | "client";
}

/** In order of sending. */
export interface MessageColumns {
  readonly sentUs: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** A word. */
  readonly type: readonly number[];
  /** The Raft group it is about: a region, 0 for the placement driver; -1 where it is of none. */
  readonly group: readonly number[];
  /** The Raft term it carries; -1 for none. */
  readonly term: readonly number[];
  /** The call it is part of; 0 for none. */
  readonly call: readonly number[];
  /** How long it takes to arrive; -1 where it is lost. */
  readonly delayUs: readonly number[];
  /** Further copies: the message's row, and how long that copy takes. */
  readonly copyOf: readonly number[];
  readonly copyDelayUs: readonly number[];
}

/** How a call ended, as its caller knows it. */
export type CallEnd = "open" | "answered" | "error" | "refused" | "lost" | "cancelled";

export const CALL_ENDS: readonly CallEnd[] = [
  "open",
  "answered",
  "error",
  "refused",
  "lost",
  "cancelled",
];

/** In order of beginning. */
export interface CallColumns {
  readonly id: readonly number[];
  readonly beginUs: readonly number[];
  /** -1 while it is open. */
  readonly lastsUs: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** A word: the method. */
  readonly method: readonly number[];
  readonly group: readonly number[];
  /** A place in `CALL_ENDS`. */
  readonly end: readonly number[];
  /** A word: which error it was answered with; the empty word for none. */
  readonly note: readonly number[];
}

/** What clients wanted, where a history of it is kept: an operation may take several calls. */
export interface OperationColumns {
  readonly beginUs: readonly number[];
  /** -1 where no answer ever came. */
  readonly lastsUs: readonly number[];
  /** A node. */
  readonly client: readonly number[];
  /** A word: what was done, to which key, and what was seen. */
  readonly text: readonly number[];
  /** 0 answered, 1 certainly not carried out, 2 not known. */
  readonly end: readonly number[];
}

export type Status = "up" | "paused" | "down" | "broken";

export const STATUSES: readonly Status[] = ["up", "paused", "down", "broken"];

/** Changes of processes' status. */
export interface StatusColumns {
  readonly timeUs: readonly number[];
  readonly node: readonly number[];
  /** A place in `STATUSES`. */
  readonly status: readonly number[];
}

export type MemberRole = "follower" | "pre_candidate" | "candidate" | "leader" | "gone";

export const ROLES: readonly MemberRole[] = [
  "follower",
  "pre_candidate",
  "candidate",
  "leader",
  "gone",
];

/** A member of a Raft group, each time that something about it changes. */
export interface StateColumns {
  readonly timeUs: readonly number[];
  readonly node: readonly number[];
  readonly group: readonly number[];
  /** A place in `ROLES`. */
  readonly role: readonly number[];
  readonly term: readonly number[];
  /** The peer that it takes for the leader; 0 for nobody. */
  readonly leader: readonly number[];
  readonly commit: readonly number[];
  readonly applied: readonly number[];
  /** 1 where it holds the lease by its own clock. */
  readonly lease: readonly number[];
}

/** How far servers' wall clocks are off, each time that it has changed by some milliseconds. */
export interface ClockColumns {
  readonly timeUs: readonly number[];
  readonly node: readonly number[];
  /** Positive where the clock is ahead. */
  readonly offsetUs: readonly number[];
}

export interface FilmFault {
  readonly type: string;
  readonly timeUs: number;
  /** When it was taken back; its beginning where it is over at once. */
  readonly endUs: number;
  readonly text: string;
  /** Those it names. */
  readonly nodes: readonly number[];
}

export interface FilmLine {
  readonly timeUs: number;
  readonly topic: string;
  readonly text: string;
}

export interface FilmViolation {
  readonly check: string;
  readonly timeUs: number;
  readonly text: string;
  readonly detail: string | undefined;
  /** The nodes at which it shows: in whose event it fell, or whom its text names. */
  readonly nodes: readonly number[];
  /**
   * Its causal past: for each node the latest moment that can have influenced the violation, -1
   * where nothing of it can have.
   */
  readonly cutUs: readonly number[];
  /** Rows of the messages that carried the latest moment of each node further. */
  readonly frontier: readonly number[];
}
