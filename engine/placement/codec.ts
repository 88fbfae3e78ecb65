/**
 * Messages between members as bytes.
 *
 *   raft      [0, message]                        the message as `raft/codec.ts` lays it out
 *   snapshot  [1, term, metadata, bytes]
 */
import { unreachable } from "../base/assert.ts";
import { expectBytes, expectCount, expectTuple, malformed } from "../base/wire.ts";
import type { Decoded, Wire } from "../base/wire.ts";
import {
  messageFromTuple,
  messageToTuple,
  snapshotMetadataFromTuple,
  snapshotMetadataToTuple,
} from "../raft/codec.ts";
import type { PlacementMessage } from "./types.ts";

const RAFT = 0;
const SNAPSHOT = 1;

export const encodeMessage = (message: PlacementMessage, wire: Wire): Uint8Array =>
  wire.encode(tuple(message));

/** Byte strings in the message are views of `bytes`: the caller gives the buffer away. */
export const decodeMessage = (bytes: Uint8Array, wire: Wire): Decoded<PlacementMessage> =>
  wire.decodeWith(bytes, readMessage);

function tuple(message: PlacementMessage): readonly unknown[] {
  switch (message.type) {
    case "raft":
      return [RAFT, messageToTuple(message.message)];
    case "snapshot":
      return [SNAPSHOT, message.term, snapshotMetadataToTuple(message.metadata), message.bytes];
    default:
      return unreachable(message);
  }
}

function readMessage(value: unknown): PlacementMessage {
  if (Array.isArray(value) && value[0] === RAFT) {
    const message = messageFromTuple(expectTuple(value, 2, "raft")[1]);
    return message === undefined ? malformed("raft: no message") : { type: "raft", message };
  }
  const [tag, term, raw, bytes] = expectTuple(value, 4, "snapshot");
  if (tag !== SNAPSHOT) return malformed("a message of no known type");
  const metadata = snapshotMetadataFromTuple(raw);
  if (metadata === undefined) return malformed("snapshot: no metadata");
  return {
    type: "snapshot",
    term: expectCount(term, "term"),
    metadata,
    bytes: expectBytes(bytes, "snapshot"),
  };
}
