/** The formats byte by byte. A change here is a change of what is on people's disks. */
import * as assert from "uvu/assert";
import { Key, hex } from "../../engine/base/bytes.ts";
import { suite } from "../harness.ts";
import { imageOf } from "./image.ts";
import {
  append,
  begin,
  compact,
  destroy,
  entry,
  hardState,
  marks,
  meta,
  restore,
} from "./records.ts";
import { Rig } from "./rig.ts";

const test = suite("storage formats");

const SEGMENT: readonly string[] = [
  "525554494c454c02", // magic and version
  "000000000000004d", // cluster 77
  "0000000000000003", // store 3
  "0000000000000001", // number
  "0000000000000001", // sequence
  "0000000000000001", // oldest
  "00000000", // chain
  "1c1bfe38", // seed
  "1cad4699c2e0a662", // checksums of the frame and of its payload
  "0000000000000001", // sequence
  "0000000000000038", // offset
  "00000003", // size
  "920190",
  "d5e200e634dc29cd", // checksums of the frame and of its payload
  "0000000000000002", // sequence
  "0000000000000057", // offset
  "00000022", // size
  "920193940102930103009194010100c4036f6e65930409c404676f6e65940504",
  "0505",
  "d822bb6be504a2e5", // checksums of the frame and of its payload
  "0000000000000003", // sequence
  "0000000000000095", // offset
  "00000044", // size
  "9201939402020101960305930200cd012c93cd012c0295920102909090c291c4",
  "056368756e6b",
  "919a0902cd03e80a009192c40162c40164c40161c40164c307", // the tables
  "940102c090",
];

const TABLE = meta(9, "a", "d", {
  cf: "write",
  clears: [{ start: Key("b"), end: Key("d") }],
  largestExclusive: true,
});

const golden = (parts: readonly string[]): string => parts.join("");

test("a segment of the log has this shape", () => {
  const rig = new Rig().start();
  rig.log(append(2, [entry(1, 1, "one")], hardState(1, 3, 0)), destroy(9, "gone"), begin(4, 5, 5));
  rig.turn();
  rig.freeze(marks({ 2: 1, 9: 0 }));
  rig.turn();
  rig.log(compact(2, 1), restore(5, 300, 2, "chunk", [TABLE]), append(2, [], undefined));
  rig.turn();
  const bytesOf = imageOf(rig.disk).get("log-0000000000000001")!;
  assert.is(hex(bytesOf), golden(SEGMENT));
});

test.run();
