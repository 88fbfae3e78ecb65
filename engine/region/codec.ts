/**
 * Messages between stores, as msgpack tuples.
 *
 *   raft            [0, region, from, to, confVer, version, startKey, endKey, message]
 *   snapshot_chunk  [1, region, from, to, index, term, attempt, sequence, last, bytes]
 *   snapshot_ack    [2, region, from, to, index, attempt, next, status]      status: 0 more, 1 done, 2 refused
 *   peer_removed    [3, region, from, to, confVer, version]
 *   about waits     [4, message], the tuple of transaction/messages.ts
 *   safe_timestamps [5, [[region, version, index, timestamp], …]]
 *
 * Keys travel as one-byte strings. A Raft message is the tuple of raft/codec.ts.
 */
import { unreachable } from "../base/assert.ts";
import type { LogIndex, PeerId, RegionId, Term } from "../base/ids.ts";
import {
  type Decoded,
  expectBoolean,
  expectBytes,
  expectChoice,
  expectCount,
  expectKeyText,
  expectList,
  expectTimestamp,
  expectTuple,
  malformed,
  type Wire,
} from "../base/wire.ts";
import { messageFromTuple, messageToTuple } from "../raft/codec.ts";
import { detectorFromTuple, detectorToTuple } from "../transaction/messages.ts";
import type { SafeTimestamp, SnapshotAck, SnapshotChunk, StoreMessage } from "./types.ts";

const RAFT = 0;
const SNAPSHOT_CHUNK = 1;
const SNAPSHOT_ACK = 2;
const PEER_REMOVED = 3;
const DETECTOR = 4;
const SAFE_TIMESTAMPS = 5;
const STATUSES = ["more", "done", "refused"] as const;

export const encodeStoreMessage = (message: StoreMessage, wire: Wire): Uint8Array =>
  wire.encode(toTuple(message));

function toTuple(m: StoreMessage): readonly unknown[] {
  switch (m.type) {
    case "raft": {
      const inner = messageToTuple(m.message);
      return [RAFT, m.region, m.from, m.to, m.confVer, m.version, m.startKey, m.endKey, inner];
    }
    case "snapshot_chunk":
      return chunkToTuple(m);
    case "snapshot_ack":
      return ackToTuple(m);
    case "peer_removed":
      return [PEER_REMOVED, m.region, m.from, m.to, m.confVer, m.version];
    case "detector":
      return [DETECTOR, detectorToTuple(m.message)];
    case "safe_timestamps": {
      const regions = m.regions.map(({ region, version, index, ts }) => [
        region,
        version,
        index,
        ts,
      ]);
      return [SAFE_TIMESTAMPS, regions];
    }
    default:
      return unreachable(m);
  }
}

function chunkToTuple(m: SnapshotChunk): readonly unknown[] {
  const { region, from, to, index, term, attempt, sequence, last, bytes } = m;
  return [SNAPSHOT_CHUNK, region, from, to, index, term, attempt, sequence, last, bytes];
}

function ackToTuple(m: SnapshotAck): readonly unknown[] {
  const { region, from, to, index, attempt, next, status } = m;
  return [SNAPSHOT_ACK, region, from, to, index, attempt, next, STATUSES.indexOf(status)];
}

/** The message in `bytes`, which may be anything. Byte values are views of `bytes`. */
export const decodeStoreMessage = (bytes: Uint8Array, wire: Wire): Decoded<StoreMessage> =>
  wire.decodeWith(bytes, fromTuple);

function fromTuple(value: unknown): StoreMessage {
  if (!Array.isArray(value)) return malformed("a store message is a tuple");
  const t = value as readonly unknown[];
  if (t[0] === DETECTOR) return { type: "detector", message: detectorFromTuple(t[1]) };
  if (t[0] === SAFE_TIMESTAMPS) {
    return { type: "safe_timestamps", regions: expectList(t[1], safeTimestamp, "regions") };
  }
  const region = expectCount(t[1], "region") as RegionId;
  const from = expectCount(t[2], "sender") as PeerId;
  const to = expectCount(t[3], "receiver") as PeerId;
  switch (t[0]) {
    case RAFT: {
      const message = messageFromTuple(t[8]) ?? malformed("the Raft message is malformed");
      return {
        type: "raft",
        region,
        from,
        to,
        confVer: expectCount(t[4], "conf_ver"),
        version: expectCount(t[5], "version"),
        startKey: expectKeyText(t[6], "start key"),
        endKey: expectKeyText(t[7], "end key"),
        message,
      };
    }
    case SNAPSHOT_CHUNK:
      return {
        type: "snapshot_chunk",
        region,
        from,
        to,
        index: expectCount(t[4], "index") as LogIndex,
        term: expectCount(t[5], "term") as Term,
        attempt: expectCount(t[6], "attempt"),
        sequence: expectCount(t[7], "sequence"),
        last: expectBoolean(t[8], "last"),
        bytes: expectBytes(t[9], "piece"),
      };
    case SNAPSHOT_ACK:
      return {
        type: "snapshot_ack",
        region,
        from,
        to,
        index: expectCount(t[4], "index") as LogIndex,
        attempt: expectCount(t[5], "attempt"),
        next: expectCount(t[6], "next"),
        status: STATUSES[expectChoice(t[7], [0, 1, 2], "status")] ?? "refused",
      };
    case PEER_REMOVED:
      return {
        type: "peer_removed",
        region,
        from,
        to,
        confVer: expectCount(t[4], "conf_ver"),
        version: expectCount(t[5], "version"),
      };
    default:
      return malformed("no such store message");
  }
}

function safeTimestamp(value: unknown, what: string): SafeTimestamp {
  const [region, version, index, ts] = expectTuple(value, 4, what);
  return {
    region: expectCount(region, "region") as RegionId,
    version: expectCount(version, "version"),
    index: expectCount(index, "index") as LogIndex,
    ts: expectTimestamp(ts, "timestamp"),
  };
}

/** One line for traces. */
export function describeStoreMessage(m: StoreMessage): string {
  if (m.type === "detector") return m.message.type;
  if (m.type === "safe_timestamps") return `${m.type} of ${m.regions.length} regions`;
  const head = `${m.type} r${m.region} ${m.from}→${m.to}`;
  switch (m.type) {
    case "raft":
      return `${head} ${m.message.type} t${m.message.term}`;
    case "snapshot_chunk":
      return `${head} i${m.index} #${m.sequence}${m.last ? " last" : ""} ${m.bytes.length} B`;
    case "snapshot_ack":
      return `${head} i${m.index} ${m.status} next ${m.next}`;
    case "peer_removed":
      return `${head} epoch ${m.confVer}.${m.version}`;
    default:
      return unreachable(m);
  }
}
