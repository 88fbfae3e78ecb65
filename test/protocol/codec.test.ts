import fc from "fast-check";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import {
  anyMessage,
  codecOf,
  decodeByPeer,
  encodeByPeer,
  messageNames,
  peerForm,
} from "./descriptors.ts";

const test = suite("protocol/codec");
const options = { includeErrorInReport: true, numRuns: 8 };
const anyName = fc.constantFrom(...messageNames);

function decoded(name: string, bytes: Uint8Array): unknown {
  const result = codecOf(name).decode(bytes);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

test("every message comes back from its own bytes as it was", () => {
  for (const name of messageNames) {
    fc.assert(
      fc.property(anyMessage(name), (value) => {
        assert.equal(decoded(name, codecOf(name).encode(value)), value);
      }),
      options,
    );
  }
});

test("protobufjs reads in our bytes what we wrote", () => {
  for (const name of messageNames) {
    fc.assert(
      fc.property(anyMessage(name), (value) => {
        const bytes = codecOf(name).encode(value);
        assert.equal(decodeByPeer(name, bytes), peerForm(name, value), name);
      }),
      options,
    );
  }
});

test("we read in the bytes of protobufjs what it wrote", () => {
  for (const name of messageNames) {
    fc.assert(
      fc.property(anyMessage(name), (value) => {
        assert.equal(decoded(name, encodeByPeer(name, value)), value, name);
      }),
      options,
    );
  }
});

test("a message cut off anywhere, or with a byte changed, decodes or is refused but never throws", () => {
  const damaged = anyName.chain((name) =>
    fc.record({
      name: fc.constant(name),
      value: anyMessage(name),
      cut: fc.nat(),
      byte: fc.nat(255),
    }),
  );
  fc.assert(
    fc.property(damaged, ({ name, value, cut, byte }) => {
      const bytes = codecOf(name).encode(value);
      if (bytes.length === 0) return;
      const at = cut % bytes.length;
      codecOf(name).decode(bytes.subarray(0, at));
      bytes[at] = byte;
      codecOf(name).decode(bytes);
    }),
    { includeErrorInReport: true, numRuns: 1000 },
  );
});

test("any bytes at all decode or are refused with a reason that names the message", () => {
  const garbage = fc.record({ name: anyName, bytes: fc.uint8Array({ maxLength: 60 }) });
  fc.assert(
    fc.property(garbage, ({ name, bytes }) => {
      const result = codecOf(name).decode(bytes);
      if (!result.ok) assert.ok(result.reason.startsWith(`${name}: `));
    }),
    { includeErrorInReport: true, numRuns: 3000 },
  );
});

test.run();
