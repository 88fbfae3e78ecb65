/** How a member comes into being, how it comes back, and what a crash leaves of it. */
import type { LogIndex, Term, Ticket } from "../base/ids.ts";
import type { History } from "./configuration.ts";
import type { Log } from "./log.ts";
import type { Durable, RaftState } from "./state.ts";
import type { HardState, RaftConfig, SnapshotMetadata } from "./types.ts";
import { assert } from "../base/assert.ts";
import { maxIndex } from "../base/ids.ts";
import { below, seeded } from "../base/prng.ts";
import { inForce, isSoleVoter } from "./configuration.ts";
import * as logs from "./log.ts";
import { NEVER_MS } from "./progress.ts";
import { noReads } from "./reads.ts";
import { NOBODY, NO_PEERS, NO_VOTES } from "./roles.ts";
import { withEntry } from "./writing.ts";

/**
 * A member that has never been: its log begins behind `from`, which its state machine holds. With
 * an empty configuration it knows nothing, and waits to be told.
 */
export function start(config: RaftConfig, from: SnapshotMetadata, nowMs: number): RaftState {
  const { index, term, configuration } = from;
  return member(
    config,
    { term, vote: NOBODY, commit: index },
    logs.emptyLog(index, term),
    [{ index, configuration }],
    index,
    nowMs,
    nowMs,
  );
}

/**
 * A member after a restart. The first step hands out what is committed and not applied. It votes
 * for nobody during its first election timeout, because it may have promised its vote before.
 */
export function restore(config: RaftConfig, durable: Durable, nowMs: number): RaftState {
  const { hardState, truncated, entries, applied, configuration } = durable;
  assert(applied >= truncated.index, "what was truncated is in the state machine");
  const log = logs.append(logs.emptyLog(truncated.index, truncated.term), entries);
  assert(applied <= log.last, "what was applied was durable in the log");
  assert(hardState.commit <= log.last, "what was known to be committed is in the log");
  assert(hardState.term >= log.lastTerm, "a term is durable with the entries of it");
  let history: History = [{ index: applied, configuration }];
  for (const entry of entries) {
    if (entry.type === "configuration" && entry.index > applied)
      history = withEntry(history, entry);
  }
  return member(config, hardState, log, history, applied, nowMs, nowMs + config.electionMs);
}

/**
 * What a crash certainly leaves of `state`, if the state machine's part is durable up to `applied`
 * (by default, what the log has forgotten). Term, vote and entries whose writes are under way may
 * or may not be found; role, leader, votes, progress, reads, held messages and leases are gone.
 */
export function reboot(state: RaftState, applied: LogIndex = state.log.base): Durable {
  const { log, history } = state;
  let configuration = history[0]!.configuration;
  for (const placed of history) if (placed.index <= applied) ({ configuration } = placed);
  return {
    hardState: state.durableHardState,
    truncated: { index: log.base, term: log.baseTerm },
    entries: logs.slice(log, (log.base + 1) as LogIndex, state.durable),
    applied,
    configuration,
  };
}

function member(
  config: RaftConfig,
  hardState: HardState,
  log: Log,
  history: History,
  applied: LogIndex,
  nowMs: number,
  quietUntilMs: number,
): RaftState {
  validate(config);
  const timeout = below(seeded(config.seed), config.electionMs);
  const high = below(timeout.prng, 2 ** 20);
  const low = below(high.prng, 2 ** 32);
  // A group's only voter has no leader to wait for.
  const isAlone = isSoleVoter(inForce(history).configuration, config.id);
  const timeoutMs = config.electionMs + timeout.value;
  return {
    config,
    role: "follower",
    term: hardState.term,
    vote: hardState.vote,
    leader: NOBODY,
    log,
    history,
    commit: maxIndex(hardState.commit, applied),
    applied,
    handedOut: applied,
    ticket: 0 as Ticket,
    durableTicket: 0 as Ticket,
    writes: [],
    written: log.last,
    durable: log.last,
    writtenHardState: hardState,
    durableHardState: hardState,
    held: [],
    restoring: undefined,
    lacking: false,
    prng: low.prng,
    electionAtMs: nowMs + (isAlone ? config.heartbeatMs : timeoutMs),
    timeoutMs,
    heardMs: NEVER_MS,
    heardTerm: 0 as Term,
    heardSentAt: NEVER_MS,
    quietUntilMs,
    votes: NO_VOTES,
    campaigns: 0,
    peers: NO_PEERS,
    termStart: 0 as LogIndex,
    uncommittedBytes: 0,
    heartbeatAtMs: 0,
    heldUpAt: 0 as LogIndex,
    heldUpMs: 0,
    transfer: undefined,
    reads: noReads((high.value * 2 ** 32 + low.value) as Ticket),
  };
}

/** Checks a group's settings once, at the door. */
function validate(config: RaftConfig): void {
  assert(config.id > 0, "a member has an id");
  assert(Number.isSafeInteger(config.seed), "the seed is an integer");
  assert(config.heartbeatMs > 0, "heartbeats have a period");
  assert(Number.isSafeInteger(config.electionMs), "an election timeout is in whole milliseconds");
  assert(
    config.electionMs >= 2 * config.heartbeatMs,
    "an election timeout outlasts two heartbeats",
  );
  assert(
    config.leaseMs >= 0 && config.leaseMs < config.electionMs,
    "a lease ends before an election timeout",
  );
  assert(Number.isSafeInteger(config.priority), "a priority is an integer");
  assert(config.maxAppendBytes > 0 && config.maxApplyBytes > 0, "a page holds something");
  assert(
    config.maxInflightMessages > 0 && config.maxInflightBytes > 0,
    "a window lets something through",
  );
  assert(config.maxUncommittedBytes > 0, "something may be proposed");
}
