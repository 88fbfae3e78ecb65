import fc from "fast-check";
import * as assert from "uvu/assert";
import { hex } from "../../engine/base/bytes.ts";
import { createWire } from "../../engine/base/wire.ts";
import { decodeMessage, encodeMessage } from "../../engine/placement/index.ts";
import type { PlacementMessage } from "../../engine/placement/index.ts";
import type { RaftMessage, SnapshotMetadata } from "../../engine/raft/types.ts";
import { suite } from "../harness.ts";

const test = suite("placement/codec");

const wire = createWire();

const snapshot: PlacementMessage = {
  type: "snapshot",
  term: 3,
  metadata: {
    index: 9,
    term: 2,
    configuration: {
      voters: [1, 2, 3],
      outgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    },
  } as unknown as SnapshotMetadata,
  bytes: Uint8Array.from([7, 8]),
};

const raft: PlacementMessage = {
  type: "raft",
  message: { type: "vote_response", term: 4, pre: true, granted: false } as unknown as RaftMessage,
};

test("messages survive their bytes", () => {
  for (const message of [snapshot, raft]) {
    const decoded = decodeMessage(encodeMessage(message, wire), wire);
    assert.ok(decoded.ok);
    assert.equal(decoded.value, message);
  }
});

test("the bytes of a snapshot are laid out as they have always been", () => {
  assert.is(hex(encodeMessage(snapshot, wire)), "9401039309029593010203909090c2c4020708");
});

test("bytes that are no message are refused with a reason, never by an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const decoded = decodeMessage(bytes, wire);
      if (!decoded.ok) assert.ok(decoded.reason.length > 0);
    }),
    { includeErrorInReport: true },
  );
});

test.run();
