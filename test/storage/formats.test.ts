/** The formats byte by byte. A change here is a change of what is on people's disks. */
import * as assert from "uvu/assert";
import { Key, hex } from "../../engine/base/bytes.ts";
import { suite } from "../harness.ts";
import { imageOf } from "./image.ts";
import {
  append,
  begin,
  bytes,
  checkpoint,
  compact,
  kvAfter,
  destroy,
  entry,
  hardState,
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

const CHECKPOINT: readonly string[] = [
  "525554494c454301", // magic and version
  "000000000000004d", // cluster 77
  "0000000000000003", // store 3
  "0000000000000001", // number
  "0000000000000001", // sequence
  "0000000000000000", // oldest
  "00000000", // chain
  "f213bdbf", // seed
  "57bf4a4aeea23ec7", // checksums of the frame and of its payload
  "0000000000000001", // sequence
  "0000000000000038", // offset
  "00000024", // size
  "019294020001c4096d657461206f66203294cd012c0001c40b6d657461206f66",
  "20333030",
  "79f3e14717d115aa", // checksums of the frame and of its payload
  "0000000000000002", // sequence
  "0000000000000078", // offset
  "0000001a", // size
  "0200000000020000000561ff76616c7565000000010000000062",
  "d8ff1673d265cfbe", // checksums of the frame and of its payload
  "0000000000000003", // sequence
  "00000000000000ae", // offset
  "00000002", // size
  "0201",
  "785ba77b7f1cea81", // checksums of the frame and of its payload
  "0000000000000004", // sequence
  "00000000000000cc", // offset
  "0000000b", // size
  "0202000000000000000177",
  "40c29466a44abddf", // checksums of the frame and of its payload
  "0000000000000005", // sequence
  "00000000000000f3", // offset
  "00000021", // size
  "0300000000000000020000000000000002000000000000000000000000000000",
  "01",
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
  rig.checkpoint(checkpoint({ 2: 1, 9: 0 }));
  rig.turn();
  rig.log(compact(2, 1), restore(5, 300, 2, "chunk", [TABLE]), append(2, [], undefined));
  rig.turn();
  const bytesOf = imageOf(rig.disk).get("log-0000000000000001")!;
  assert.is(hex(bytesOf), golden(SEGMENT));
});

test("a checkpoint has this shape", () => {
  const rig = new Rig().start();
  const kv = kvAfter([
    { type: "put", cf: "default", key: Key("a\xff"), value: bytes("value") },
    { type: "put", cf: "default", key: Key("b"), value: bytes("") },
    { type: "put", cf: "write", key: Key(""), value: bytes("w") },
  ]);
  rig.checkpoint(checkpoint({ 2: 0, 300: 0 }, kv));
  rig.turn();
  const bytesOf = imageOf(rig.disk).get("checkpoint-0000000000000001")!;
  assert.is(hex(bytesOf), golden(CHECKPOINT));
});

test.run();
