/**
 * Raft's vocabulary as tuples: plain arrays of numbers, bytes and arrays, ready for msgpack. The
 * same tuples travel between nodes and lie in files.
 *
 * Each `xFromTuple` checks what it is given and returns `undefined` for anything that no
 * `xToTuple` makes. Bytes are passed on, not copied: whoever decodes gives its buffer away.
 *
 *     entry          [index, term, type, data]                      type: 0 normal, 1 configuration
 *     hard state     [term, vote, commit]
 *     configuration  [voters, outgoing, learners, learnersNext, autoLeave]
 *     snapshot       [index, term, configuration]
 *     change         [[kind, peer, kind, peer, …], context]         kind: 0 voter, 1 learner, 2 remove
 *     configuration entry's data: msgpack of [change, configuration]
 *     message        [tag, term, …], the rest in the order of the fields in `types.ts`
 */
import type { LogIndex, PeerId, Term, Ticket } from "../base/ids.ts";
import type { Wire } from "../base/wire.ts";
import type {
  AppendRequest,
  Configuration,
  ConfigurationChange,
  ConfigurationEntry,
  Entry,
  HardState,
  MemberChange,
  RaftMessage,
  SnapshotMetadata,
} from "./types.ts";
import { unreachable } from "../base/assert.ts";

/** An encoded value: an array of numbers, booleans, bytes and further arrays. */
export type Tuple = readonly unknown[];

export function entryToTuple(entry: Entry): Tuple {
  return [entry.index, entry.term, entry.type === "normal" ? 0 : 1, entry.data];
}

export function entryFromTuple(value: unknown): Entry | undefined {
  if (!isTuple(value, 4)) return undefined;
  return entryOf(value[0], value[1], value[2], value[3]);
}

export function hardStateToTuple(hardState: HardState): Tuple {
  return [hardState.term, hardState.vote, hardState.commit];
}

export function hardStateFromTuple(value: unknown): HardState | undefined {
  if (!isTuple(value, 3)) return undefined;
  const [term, vote, commit] = value;
  if (!isCount(term) || !isCount(vote) || !isCount(commit)) return undefined;
  return { term: term as Term, vote: vote as PeerId, commit: commit as LogIndex };
}

export function configurationToTuple(configuration: Configuration): Tuple {
  return [
    configuration.voters,
    configuration.outgoing,
    configuration.learners,
    configuration.learnersNext,
    configuration.autoLeave,
  ];
}

export function configurationFromTuple(value: unknown): Configuration | undefined {
  if (!isTuple(value, 5)) return undefined;
  const [voters, outgoing, learners, learnersNext, autoLeave] = value;
  if (!isPeers(voters) || !isPeers(outgoing) || !isPeers(learners)) return undefined;
  if (!isPeers(learnersNext) || typeof autoLeave !== "boolean") return undefined;
  return { voters, outgoing, learners, learnersNext, autoLeave };
}

export function snapshotMetadataToTuple(metadata: SnapshotMetadata): Tuple {
  return [metadata.index, metadata.term, configurationToTuple(metadata.configuration)];
}

export function snapshotMetadataFromTuple(value: unknown): SnapshotMetadata | undefined {
  if (!isTuple(value, 3)) return undefined;
  const [index, term] = value;
  const configuration = configurationFromTuple(value[2]);
  if (!isCount(index) || !isCount(term) || configuration === undefined) return undefined;
  return { index: index as LogIndex, term: term as Term, configuration };
}

/** The data of a `configuration` entry. */
export function encodeConfigurationEntry(entry: ConfigurationEntry, wire: Wire): Uint8Array {
  const changes: number[] = [];
  for (const { type, peer } of entry.change.changes) changes.push(KINDS.indexOf(type), peer);
  return wire.encode([[changes, entry.change.context], configurationToTuple(entry.configuration)]);
}

/** The reverse of `encodeConfigurationEntry`; undefined for other bytes. */
export function decodeConfigurationEntry(
  data: Uint8Array,
  wire: Wire,
): ConfigurationEntry | undefined {
  const decoded = wire.decode(data);
  if (!decoded.ok) return undefined;
  const value = decoded.value;
  if (!isTuple(value, 2)) return undefined;
  const change = changeFromTuple(value[0]);
  const configuration = configurationFromTuple(value[1]);
  if (change === undefined || configuration === undefined) return undefined;
  return { change, configuration };
}

/** The tag of each message on the wire. Never reuse a number. */
const TAGS = {
  vote_request: 1,
  vote_response: 2,
  append_request: 3,
  append_response: 4,
  heartbeat_request: 5,
  heartbeat_response: 6,
  snapshot: 7,
  read_index_request: 8,
  read_index_response: 9,
  timeout_now: 10,
  snapshot_request: 11,
} as const satisfies Record<RaftMessage["type"], number>;

export function messageToTuple(m: RaftMessage): Tuple {
  const tag = TAGS[m.type];
  switch (m.type) {
    case "vote_request":
      return [tag, m.term, m.pre, m.lastIndex, m.lastTerm, m.transfer ?? false, m.priority];
    case "vote_response":
      return [tag, m.term, m.pre, m.granted];
    case "append_request": {
      const { term, previousIndex, previousTerm, commit, sentAt } = m;
      return [tag, term, previousIndex, previousTerm, entriesToTuple(m.entries), commit, sentAt];
    }
    case "append_response":
      return [tag, m.term, m.index, m.rejected, m.hintIndex, m.hintTerm, m.sentAt];
    case "heartbeat_request":
      return [tag, m.term, m.commit, m.sentAt, m.round];
    case "heartbeat_response":
      return [tag, m.term, m.sentAt, m.round];
    case "snapshot":
      return [tag, m.term, snapshotMetadataToTuple(m.metadata)];
    case "read_index_request":
      return [tag, m.term, m.ticket, m.note];
    case "read_index_response":
      return [tag, m.term, m.ticket, m.index, m.note];
    case "timeout_now":
      return [tag, m.term, m.sentAt];
    case "snapshot_request":
      return [tag, m.term, m.index];
    default:
      return unreachable(m);
  }
}

export function messageFromTuple(value: unknown): RaftMessage | undefined {
  if (!Array.isArray(value)) return undefined;
  const tuple: readonly unknown[] = value;
  const term = tuple[1];
  if (!isCount(term)) return undefined;
  switch (tuple[0]) {
    case TAGS.vote_request:
      return voteRequest(tuple, term as Term);
    case TAGS.vote_response: {
      const [, , pre, granted] = tuple;
      if (tuple.length !== 4 || typeof pre !== "boolean") return undefined;
      if (typeof granted !== "boolean") return undefined;
      return { type: "vote_response", term: term as Term, pre, granted };
    }
    case TAGS.append_request:
      return appendRequest(tuple, term as Term);
    case TAGS.append_response:
      return appendResponse(tuple, term as Term);
    case TAGS.heartbeat_request: {
      const [, , commit, sentAt, round] = tuple;
      if (tuple.length !== 5 || !isCount(commit) || !isTime(sentAt)) return undefined;
      if (!isCount(round)) return undefined;
      return {
        type: "heartbeat_request",
        term: term as Term,
        commit: commit as LogIndex,
        sentAt,
        round,
      };
    }
    case TAGS.heartbeat_response: {
      const [, , sentAt, round] = tuple;
      if (tuple.length !== 4 || !isTime(sentAt) || !isCount(round)) return undefined;
      return { type: "heartbeat_response", term: term as Term, sentAt, round };
    }
    case TAGS.snapshot: {
      const metadata = snapshotMetadataFromTuple(tuple[2]);
      if (tuple.length !== 3 || metadata === undefined) return undefined;
      return { type: "snapshot", term: term as Term, metadata };
    }
    case TAGS.read_index_request: {
      const [, , ticket, note] = tuple;
      if (tuple.length !== 4 || !isCount(ticket) || !isBytes(note)) return undefined;
      return { type: "read_index_request", term: term as Term, ticket: ticket as Ticket, note };
    }
    case TAGS.read_index_response: {
      const [, , ticket, index, note] = tuple;
      if (tuple.length !== 5 || !isCount(ticket) || !isCount(index)) return undefined;
      if (!isBytes(note)) return undefined;
      return {
        type: "read_index_response",
        term: term as Term,
        ticket: ticket as Ticket,
        index: index as LogIndex,
        note,
      };
    }
    case TAGS.timeout_now: {
      const sentAt = tuple[2];
      if (tuple.length !== 3 || !isTime(sentAt)) return undefined;
      return { type: "timeout_now", term: term as Term, sentAt };
    }
    case TAGS.snapshot_request: {
      const index = tuple[2];
      if (tuple.length !== 3 || !isCount(index)) return undefined;
      return { type: "snapshot_request", term: term as Term, index: index as LogIndex };
    }
    default:
      return undefined;
  }
}

function voteRequest(tuple: readonly unknown[], term: Term): RaftMessage | undefined {
  const [, , pre, lastIndex, lastTerm, transfer, priority] = tuple;
  if (tuple.length !== 7 || typeof pre !== "boolean") return undefined;
  if (!isCount(lastIndex) || !isCount(lastTerm)) return undefined;
  if (transfer !== false && !isTime(transfer)) return undefined;
  if (!Number.isSafeInteger(priority)) return undefined;
  return {
    type: "vote_request",
    term,
    pre,
    lastIndex: lastIndex as LogIndex,
    lastTerm: lastTerm as Term,
    transfer: transfer === false ? undefined : transfer,
    priority: priority as number,
  };
}

function appendRequest(tuple: readonly unknown[], term: Term): AppendRequest | undefined {
  const [, , previousIndex, previousTerm, list, commit, sentAt] = tuple;
  if (tuple.length !== 7 || !isCount(previousIndex) || !isCount(previousTerm)) return undefined;
  if (!isCount(commit) || !isTime(sentAt)) return undefined;
  const entries = entriesFromTuple(list, previousIndex);
  if (entries === undefined) return undefined;
  return {
    type: "append_request",
    term,
    previousIndex: previousIndex as LogIndex,
    previousTerm: previousTerm as Term,
    entries,
    commit: commit as LogIndex,
    sentAt,
  };
}

function appendResponse(tuple: readonly unknown[], term: Term): RaftMessage | undefined {
  const [, , index, rejected, hintIndex, hintTerm, sentAt] = tuple;
  if (tuple.length !== 7 || !isCount(index) || typeof rejected !== "boolean") return undefined;
  if (!isCount(hintIndex) || !isCount(hintTerm) || !isTime(sentAt)) return undefined;
  return {
    type: "append_response",
    term,
    index: index as LogIndex,
    rejected,
    hintIndex: hintIndex as LogIndex,
    hintTerm: hintTerm as Term,
    sentAt,
  };
}

/** [term, type, data, term, type, data, …]: the indexes follow from the previous one. */
function entriesToTuple(entries: readonly Entry[]): Tuple {
  const flat: unknown[] = [];
  for (const entry of entries) {
    flat.push(entry.term, entry.type === "normal" ? 0 : 1, entry.data);
  }
  return flat;
}

function entriesFromTuple(value: unknown, previousIndex: number): readonly Entry[] | undefined {
  if (!Array.isArray(value) || value.length % 3 !== 0) return undefined;
  const flat: readonly unknown[] = value;
  const entries: Entry[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const index = previousIndex + 1 + at / 3;
    const entry = entryOf(index, flat[at], flat[at + 1], flat[at + 2]);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return entries;
}

function entryOf(index: unknown, term: unknown, type: unknown, data: unknown): Entry | undefined {
  if (!isCount(index) || index === 0 || !isCount(term) || !(data instanceof Uint8Array)) {
    return undefined;
  }
  if (type !== 0 && type !== 1) return undefined;
  return {
    index: index as LogIndex,
    term: term as Term,
    type: type === 0 ? "normal" : "configuration",
    data,
  };
}

const KINDS: readonly MemberChange["type"][] = ["add_voter", "add_learner", "remove"];

function changeFromTuple(value: unknown): ConfigurationChange | undefined {
  if (!isTuple(value, 2) || !Array.isArray(value[0])) return undefined;
  const flat: readonly unknown[] = value[0];
  const context = value[1];
  if (flat.length % 2 !== 0 || !(context instanceof Uint8Array)) return undefined;
  const changes: MemberChange[] = [];
  for (let at = 0; at < flat.length; at += 2) {
    const type = KINDS[flat[at] as number];
    const peer = flat[at + 1];
    if (type === undefined || !isCount(peer) || peer === 0) return undefined;
    changes.push({ type, peer: peer as PeerId });
  }
  return { changes, context };
}

function isTuple(value: unknown, length: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length === length;
}

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value);
}

/** Ascending, without repetition, without 0. */
function isPeers(value: unknown): value is readonly PeerId[] {
  if (!Array.isArray(value)) return false;
  let before = 0;
  for (const peer of value as readonly unknown[]) {
    if (!isCount(peer) || peer <= before) return false;
    before = peer;
  }
  return true;
}
