/**
 * What a cluster lives through, as data: its possible shapes, what clients do, what may go wrong
 * and how long. A seed draws everything that is left open.
 */
import type { Kind } from "./workloads/registers.ts";
import type { Blow, Moment } from "./faults/ambush.ts";
import type { Damage } from "./faults/rot.ts";
import type { Knobs } from "./knobs.ts";
import type { Shape } from "./network/topology.ts";

export interface Scenario {
  /** What it is called on the command line. */
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  readonly cluster: ClusterShape;
  readonly workload: Workload;
  readonly faults: readonly Fault[];
  /** Which networks a seed may have: the calm one only, or any. */
  readonly network: "calm" | "any";
  /** How long faults and clients go on, and how long the cluster then has to converge. */
  readonly safetyMs: number;
  readonly livenessMs: number;
  /** Whether no seed, every other one or each has settings at their extremes (`knobs.ts`). */
  readonly settings: "usual" | "drawn" | "odd";
  /** Settings that are at one of their extremes in every seed. */
  readonly extreme: readonly (keyof Knobs)[];
}

/** A seed has one number of each list. */
export interface ClusterShape {
  readonly stores: readonly number[];
  readonly members: readonly number[];
  readonly replicas: readonly number[];
}

export interface Workload {
  /** Clients on shared keys, and how they choose. */
  readonly registers: number;
  readonly mix: readonly (readonly [weight: number, kind: Kind])[];
  /** Reads sent to any replica, in millionths. */
  readonly replicaReads: number;
  readonly inserts: number;
  readonly timestamps: number;
  /** Clients of the bank. It has transactions, so the others, which are raw, must be none. */
  readonly bank: number;
  /** Clients whose transactions are recorded. They have the same needs as those of the bank. */
  readonly recorded: number;
  /** Clients that collect old versions, beside those of the bank. */
  readonly collectors: number;
  /** Versions are kept for so long: each collector has one of these times. */
  readonly lifeTimesMs: readonly number[];
  /** Clients that clear locks away by scanning for them. */
  readonly brooms: number;
  /** Clients that delete what they wrote. They have the same needs as those of the bank. */
  readonly graves: number;
  /** Clients that read as of timestamps that nobody gave. */
  readonly strays: number;
  /** Clients that take keys of their own back to what they were, beside those of the bank. */
  readonly rewinders: number;
  /** Mean time between two operations of one client. */
  readonly thinkMs: number;
  /** At most this many splits in a run. */
  readonly splits: number;
  /** Numbers of replicas between which an operator changes; none where he does not. */
  readonly replicaCounts: readonly number[];
}

/** Milliseconds, drawn anew each time. */
export type Span = readonly [low: number, high: number];

/** What may go wrong, again and again: after `every`, for as long as `lasts`. */
export type Fault = FaultTiming &
  (
    | { readonly type: "partition"; readonly shapes: readonly Shape[]; readonly among: Among }
    /** Random single directed links. */
    | { readonly type: "links"; readonly among: Among }
    /**
     * Links stall at once and deliver everything at the end, each at a time of its own.
     */
    | { readonly type: "clog"; readonly among: Among }
    /** Links are cut and whole in turn, from faster than heartbeats to slower than elections. */
    | { readonly type: "flap"; readonly among: Among }
    /** Links stall one after another, and are freed in another order. */
    | { readonly type: "swizzle"; readonly among: Among }
    /** A rack of servers loses power or network at once. */
    | { readonly type: "rack" }
    /** A server crashes between two effects of one step. */
    | { readonly type: "trap"; readonly of: Among }
    /** A server is restarted with other settings. */
    | { readonly type: "reconfigure"; readonly of: Among }
    /**
     * One type of message, any or one of `types`, is held for long, then delivered up to three
     * times or never.
     */
    | { readonly type: "hold"; readonly types?: readonly string[] }
    /**
     * One kind of transactional call, or its answer, is held for longer than its locks live: any
     * kind, or one of `kinds`.
     */
    | { readonly type: "hold_transactions"; readonly kinds?: readonly string[] }
    | {
        readonly type: "crash";
        readonly of: Among;
        readonly power: "never" | "sometimes" | "always";
      }
    /**
     * A store loses its disk and comes back as another one, where the atlas lets it, or
     * `regardless` of what is lost by it.
     */
    | { readonly type: "wipe"; readonly regardless: boolean }
    /**
     * A store's log or manifest rots, so that it refuses to start, and comes back as another one,
     * where the atlas lets it.
     */
    | { readonly type: "log_rot" }
    /** Every server loses power within a moment. */
    | { readonly type: "blackout" }
    | { readonly type: "pause"; readonly of: Among }
    /** A client stands still, with whatever it has begun. */
    | { readonly type: "pause_client" }
    /**
     * Whoever asks for votes or begins to lead (`elections`), or has another configuration in force
     * (`changes`), is struck soon after: `every` is how long after, at most.
     */
    | { readonly type: "ambush"; readonly at: Moment; readonly blows: readonly Blow[] }
    /** Whoever is told to lead stands still before it can, and then the leader who told it. */
    | { readonly type: "detain" }
    /**
     * A leader is cut off from some followers, and later from the others, which are restarted at
     * that moment.
     */
    | { readonly type: "betray" }
    /**
     * An operator hands the leadership of a random region, or of the placement driver, to somebody
     * else.
     */
    | { readonly type: "transfer_leader" }
    /**
     * An operator moves several peers of a region at once, so that it goes through a configuration
     * of two majorities.
     */
    | { readonly type: "rearrange_region" }
    /** An operator drains a store of its peers, and takes that back. */
    | { readonly type: "drain_store" }
    | { readonly type: "clock_drift" }
    | { readonly type: "clock_step" }
    | { readonly type: "clock_freeze" }
    /** Everything a disk does takes so many times as long, reads too. */
    | { readonly type: "slow_disk"; readonly of: Disks; readonly times: readonly number[] }
    /** Some operations of a disk take far longer than the others. */
    | { readonly type: "sticking_disk"; readonly of: Disks }
    /** Syncs fail, and what they should have made durable is lost. The process stops. */
    | { readonly type: "failing_disk"; readonly of: Disks }
    /** There is hardly any room left, or none at moments, whatever is asked for. */
    | { readonly type: "full_disk"; readonly of: Disks }
    /**
     * Bytes of tables are damaged at rest, as far as the atlas lets them be (`faults/atlas.ts`).
     */
    | { readonly type: "damage"; readonly kinds: readonly Damage[] }
  );

/** Those that strike by the clock. */
export type TimedFault = Exclude<Fault, { type: "ambush" | "detain" }>;

export type Among = "stores" | "members" | "servers" | "everyone";

/** Whose disk: another server's each time, or always the same store's. */
export type Disks = "any" | "one";

interface FaultTiming {
  /** Chance of a seed to have this fault at all, in millionths. */
  readonly chance: number;
  readonly every: Span;
  readonly lasts: Span;
}
