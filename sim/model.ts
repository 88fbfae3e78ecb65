/**
 * What a simulated world consists of. Types only; the functions that move it are in `world.ts` (the
 * loop), `transport.ts` (messages and calls), `machines/` (stores and placement members), `faults/`
 * and `workloads/`. Everything here is owned by one run and changed in place; the engine's states
 * inside are values.
 */
import type { PeerId, StoreId, Ticket } from "../engine/base/ids.ts";
import type { Wire } from "../engine/base/wire.ts";
import type { Replica } from "../engine/region/replica.ts";
import type { PlacementConfig } from "../engine/placement/config.ts";
import type { PlacementState } from "../engine/placement/index.ts";
import type {
  PlacementCall,
  PlacementInput,
  PlacementMessage,
  PlacementReply,
} from "../engine/placement/types.ts";
import type { PdCall, TikvCall, TikvReply } from "../engine/protocol/services.ts";
import type { StoreState } from "../engine/store/index.ts";
import type { StoreConfig, StoreInput, StoreMessage } from "../engine/store/types.ts";
import type { TableCache } from "../engine/storage/table/cache.ts";
import type { Checks } from "./checkers/checks.ts";
import type { Clock } from "./clock/clock.ts";
import type { Chronicle } from "./debug/chronicle.ts";
import type { Decisions } from "./decisions/decisions.ts";
import type { SimulatedDisk } from "./disk/disk.ts";
import type { DiskLuck } from "./disk/luck.ts";
import type { Track } from "./disk/tracks.ts";
import type { Due, EventQueue } from "./event-queue.ts";
import type { Loss } from "./excuses/gone.ts";
import type { Moment } from "./faults/ambush.ts";
import type { Trap } from "./faults/traps.ts";
import type { Recorder } from "./film/recorder.ts";
import type { Knobs } from "./knobs.ts";
import type { LeftOut } from "./liveness/core.ts";
import type { RunningJob } from "./machines/jobs.ts";
import type { Network } from "./network/network.ts";
import type { Marks } from "./search/marks.ts";
import type { Novelty } from "./search/novelty.ts";
import type { Trace } from "./trace/trace.ts";

export interface World {
  readonly seed: string;
  readonly knobs: Knobs;
  readonly decisions: Decisions;
  readonly queue: EventQueue<WorldEvent>;
  readonly due: Due<WorldEvent>;
  /** True time, in microseconds since the beginning. */
  timeUs: number;
  events: number;
  readonly network: Network;
  /** Scratch space of the codecs; holds nothing from one call to the next. */
  readonly wire: Wire;
  readonly trace: Trace;
  /** Servers first, then clients; a node's place here is its number in the network. */
  readonly servers: readonly Machine[];
  readonly stores: readonly StoreMachine[];
  readonly members: readonly PlacementMachine[];
  readonly clients: Client[];
  /** Told of every server that stands or leads, or changes its members, in one of its groups. */
  readonly watchers: ((machine: Machine, moment: Moment) => void)[];
  /** Told of every leader that begins to hand over, and to whom. */
  readonly heirWatchers: ((leader: Machine, heir: Machine) => void)[];
  readonly checks: Checks;
  /** Situations that were met, and how often. */
  readonly marks: Marks;
  /** Abstract states that the run has come to; undefined where nobody counts them. */
  readonly novelty: Novelty | undefined;
  nextCall: number;
  /** Places in the one order of all invocations and answers. */
  nextOrder: number;
  phase: "safety" | "liveness" | "over";
  /** Servers that do not recover when the faults end, and what is wrong with them for good. */
  leftOut: LeftOut;
  /** Errands of clients that are under way. */
  errands: number;
  /** Whether clients begin new operations. */
  clientsActive: boolean;
  /** Clients that stand still, and until when: what comes for them waits. */
  readonly still: Map<Client, number>;
  /** Set where a promise was settled: what waits for it goes on before the next event. */
  stirred: boolean;
  readonly drain: Drain;
  /** Takes down what happens, for a picture; undefined where nobody wants one. */
  readonly film: Recorder | undefined;
  /** Keeps every event, and holds the run where it is told to; undefined outside a debugger. */
  readonly chronicle: Chronicle | undefined;
}

/**
 * Resolves when nothing is left to go on without a further event: the end of a turn of the host's
 * own loop, behind all that waits for settled promises.
 */
export type Drain = () => Promise<void>;

export type WorldEvent =
  | {
      readonly type: "message";
      readonly from: number;
      readonly to: number;
      readonly payload: Payload;
    }
  | { readonly type: "tick"; readonly machine: Machine; readonly incarnation: number }
  | { readonly type: "turn"; readonly machine: Machine; readonly incarnation: number }
  | {
      readonly type: "disk";
      readonly machine: Machine;
      readonly incarnation: number;
      readonly track: Track;
    }
  | { readonly type: "start"; readonly machine: Machine; readonly incarnation: number }
  | { readonly type: "request"; readonly call: Call }
  | { readonly type: "answer"; readonly call: Call; readonly outcome: Outcome }
  | { readonly type: "deadline"; readonly call: Call }
  | { readonly type: "cancel"; readonly call: Call }
  | { readonly type: "retry"; readonly ask: Ask }
  | { readonly type: "wake"; readonly client: Client; readonly tag: number }
  /** A scheduled action of the fault injector or of the run itself. */
  | { readonly type: "action"; readonly name: string; readonly run: () => void };

/** Encoded, or (faster) the message itself. */
export type Payload = Uint8Array | StoreMessage | PlacementMessage;

export type Machine = StoreMachine | PlacementMachine;

/** What stores and placement members have in common. */
export interface Process {
  /** The node's number in the network. */
  readonly node: number;
  readonly name: string;
  readonly clock: Clock;
  readonly disk: SimulatedDisk;
  readonly diskLuck: DiskLuck;
  /** `broken`: its data could not be opened; it stays down. */
  status: "up" | "paused" | "down" | "broken";
  /** Milliseconds of its own clock between two ticks. */
  readonly tickMs: number;
  /** Where it is to crash in the middle of a step. */
  trap: Trap | undefined;
  /** What it has lost for good. */
  readonly losses: Loss[];
  /** Counts starts and stops: events of an earlier one are void. */
  incarnation: number;
  starts: number;
  /** Whether a `turn` is scheduled, and until when the last one keeps the processor busy. */
  turnDue: boolean;
  busyUntilUs: number;
  nextTicket: number;
  /** Calls that wait for this process, by ticket. */
  readonly serving: Map<Ticket, Call>;
}

export interface StoreMachine extends Process {
  readonly kind: "store";
  /** 0 until the store knows its id; then the id by which others send to it. */
  id: StoreId;
  /** Of its next start. */
  config: StoreConfig;
  state: StoreState | undefined;
  /** Of the life that runs; the other is that of the checkers, whose reads cost nothing. */
  tables: TableCache;
  watched: TableCache;
  /** Jobs whose slices are being written. */
  readonly jobs: Map<Ticket, RunningJob>;
  inbox: StoreInput[];
  /** The member that last answered as leader. */
  leader: number;
  /** The replicas as the checkers last saw them. */
  readonly seen: Map<number, Replica>;
  seenReplicas: unknown;
}

export interface PlacementMachine extends Process {
  readonly kind: "placement";
  readonly id: PeerId;
  /** Of its next start. */
  config: PlacementConfig;
  state: PlacementState | undefined;
  inbox: PlacementInput[];
}

/** A workload's machine. It decides; the world carries out and tells it what came of it. */
export interface Client {
  readonly node: number;
  readonly name: string;
  /** The member that last answered as leader. */
  leader: number;
  start(): void;
  wake(tag: number): void;
  answered(tag: number, outcome: Outcome): void;
}

export type Outcome =
  | { readonly type: "reply"; readonly reply: TikvReply | PlacementReply }
  | { readonly type: "refused"; readonly code: number; readonly message: string }
  /** No answer: the connection broke or time ran out. The call may have been carried out. */
  | { readonly type: "lost" };

/** One call on its way: to one server, answered once. */
export interface Call {
  readonly id: number;
  readonly request: TikvCall | PlacementCall;
  readonly from: number;
  readonly to: Machine;
  readonly owner: Owner;
  /** The caller no longer waits: answered, timed out, or gone. */
  over: boolean;
  /** While the server works on it. */
  ticket: Ticket | undefined;
}

export type Owner =
  | { readonly type: "client"; readonly client: Client; readonly tag: number }
  | { readonly type: "ask"; readonly ask: Ask };

/** A question to the placement driver: calls to one member after another until one answers. */
export interface Ask {
  readonly origin: AskOrigin;
  readonly request: PdCall;
  readonly expiresUs: number;
  attempts: number;
}

export type AskOrigin =
  | { readonly type: "client"; readonly client: Client; readonly tag: number }
  | {
      readonly type: "store";
      readonly machine: StoreMachine;
      readonly incarnation: number;
      readonly ticket: Ticket;
    };
