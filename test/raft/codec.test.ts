import fc from "fast-check";
import { equal, is } from "uvu/assert";
import { hex } from "../../engine/base/bytes.ts";
import { LogIndex, PeerId, Term, Ticket } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import * as codec from "../../engine/raft/codec.ts";
import { NO_MEMBERS } from "../../engine/raft/configuration.ts";
import { describeMessage } from "../../engine/raft/describe.ts";
import type { Configuration, Entry, RaftMessage } from "../../engine/raft/types.ts";
import { suite } from "../harness.ts";
import { votersOf } from "./cluster.ts";

const test = suite("raft: the codec");
const wire = createWire();

/** Records as the engine makes them: uvu tells objects without a prototype apart. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const term = count.map(Term);
const index = count.map(LogIndex);
const ticket = count.map(Ticket);
const time = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const bytes = fc.uint8Array({ maxLength: 20 });
const peers = fc
  .uniqueArray(fc.integer({ min: 1, max: 1e9 }), { maxLength: 5 })
  .map((list) => list.sort((a, b) => a - b).map(PeerId));
const configuration: fc.Arbitrary<Configuration> = record({
  voters: peers,
  outgoing: peers,
  learners: peers,
  learnersNext: peers,
  autoLeave: fc.boolean(),
});
const type = fc.constantFrom<Entry["type"]>("normal", "configuration");
const entry: fc.Arbitrary<Entry> = record({
  index: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(LogIndex),
  term,
  type,
  data: bytes,
});
const metadata = record({ index, term, configuration });

const appends = record({
  previousIndex: fc.nat({ max: 1e12 }),
  lines: fc.array(record({ term, type, data: bytes }), { maxLength: 4 }),
  term,
  previousTerm: term,
  commit: index,
  sentAt: time,
}).map(({ lines, previousIndex, ...rest }) => ({
  type: "append_request" as const,
  ...rest,
  previousIndex: LogIndex(previousIndex),
  entries: lines.map((line, at) => ({ ...line, index: LogIndex(previousIndex + 1 + at) })),
}));

const constant = <T extends string>(text: T): fc.Arbitrary<T> => fc.constant(text);
const message: fc.Arbitrary<RaftMessage> = fc.oneof(
  record({
    type: constant("vote_request"),
    term,
    pre: fc.boolean(),
    lastIndex: index,
    lastTerm: term,
    transfer: fc.option(time, { nil: undefined }),
    priority: fc.integer(),
  }),
  record({ type: constant("vote_response"), term, pre: fc.boolean(), granted: fc.boolean() }),
  appends,
  record({
    type: constant("append_response"),
    term,
    index,
    rejected: fc.boolean(),
    hintIndex: index,
    hintTerm: term,
    sentAt: time,
  }),
  record({
    type: constant("heartbeat_request"),
    term,
    commit: index,
    sentAt: time,
    round: count,
  }),
  record({ type: constant("heartbeat_response"), term, sentAt: time, round: count }),
  record({ type: constant("snapshot"), term, metadata }),
  record({ type: constant("read_index_request"), term, ticket, note: bytes }),
  record({ type: constant("read_index_response"), term, ticket, index, note: bytes }),
  record({ type: constant("timeout_now"), term, sentAt: time }),
  record({ type: constant("snapshot_request"), term, index }),
);

function through(tuple: unknown): unknown {
  const decoded = wire.decode(wire.encode(tuple));
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.value;
}

test("every message comes back from the wire as it was", () => {
  fc.assert(
    fc.property(message, (m) => {
      equal(codec.messageFromTuple(through(codec.messageToTuple(m))), m);
    }),
    { includeErrorInReport: true, numRuns: 500 },
  );
});

test("entries, hard states, snapshots and configuration entries come back as they were", () => {
  fc.assert(
    fc.property(entry, metadata, term, count, (one, snapshot, someTerm, number) => {
      equal(codec.entryFromTuple(through(codec.entryToTuple(one))), one);
      const hardState = { term: someTerm, vote: PeerId(number), commit: one.index };
      equal(codec.hardStateFromTuple(through(codec.hardStateToTuple(hardState))), hardState);
      const tuple = codec.snapshotMetadataToTuple(snapshot);
      equal(codec.snapshotMetadataFromTuple(through(tuple)), snapshot);
      const changes = snapshot.configuration.voters.map((peer) => ({
        type: "remove" as const,
        peer,
      }));
      const whole = {
        change: { changes, context: one.data },
        configuration: snapshot.configuration,
      };
      const data = codec.encodeConfigurationEntry(whole, wire);
      equal(codec.decodeConfigurationEntry(data, wire), whole);
    }),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test("whatever bytes arrive, the reader answers with a message that can be sent again, or with undefined", () => {
  const isHarmless = (value: unknown): void => {
    const m = codec.messageFromTuple(value);
    if (m === undefined) return;
    equal(codec.messageFromTuple(through(codec.messageToTuple(m))), m);
    is(typeof describeMessage(m), "string");
  };
  fc.assert(fc.property(fc.anything(), isHarmless), { includeErrorInReport: true, numRuns: 500 });
  fc.assert(
    fc.property(message, fc.nat(), fc.anything(), (m, at, junk) => {
      const tuple = [...codec.messageToTuple(m)];
      tuple[at % tuple.length] = junk;
      isHarmless(tuple);
      isHarmless(tuple.slice(0, -1));
    }),
    { includeErrorInReport: true, numRuns: 1000 },
  );
});

test("peers out of order, twice, or 0 are no configuration", () => {
  for (const voters of [
    [2, 1],
    [1, 1],
    [0, 1],
  ]) {
    const tuple = codec.configurationToTuple({ ...NO_MEMBERS, voters: voters as PeerId[] });
    is(codec.configurationFromTuple(tuple), undefined);
  }
});

test("the bytes of an append and of a configuration entry are these", () => {
  const append: RaftMessage = {
    type: "append_request",
    term: Term(3),
    previousIndex: LogIndex(7),
    previousTerm: Term(2),
    entries: [{ index: LogIndex(8), term: Term(3), type: "normal", data: new Uint8Array([1, 2]) }],
    commit: LogIndex(6),
    sentAt: 1000,
  };
  is(hex(wire.encode(codec.messageToTuple(append))), "9703030702930300c402010206cd03e8");
  const change = {
    changes: [{ type: "add_voter" as const, peer: PeerId(3) }],
    context: new Uint8Array([9]),
  };
  const data = codec.encodeConfigurationEntry({ change, configuration: votersOf(1, 2, 3) }, wire);
  is(hex(data), "9292920003c401099593010203909090c2");
});

test.run();
