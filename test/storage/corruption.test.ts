import * as assert from "uvu/assert";
import { isDeepStrictEqual } from "node:util";
import { createWire } from "../../engine/base/wire.ts";
import { open } from "../../engine/storage/open.ts";
import { HEADER_BYTES } from "../../engine/storage/log/frame.ts";
import { suite } from "../harness.ts";
import { flipped, imageOf, readerOf, withFile } from "./image.ts";
import type { Image } from "./image.ts";
import { append, destroy, entriesFrom, entry, hardState, marks } from "./records.ts";
import { Rig } from "./rig.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";

const test = suite("damaged storage");

const wire = createWire();
const CONFIG = { segmentBytes: 300, sliceBytes: 100, lsm: DEFAULT_LSM };
const segment = (number: number): string => `log-${String(number).padStart(16, "0")}`;
const MANIFEST = "manifest-0000000000000001";

/** Three segments and a manifest; `lastBatch` is where the newest batch starts. */
function store(cluster = 77n): { image: Image; last: string; lastBatch: number } {
  const rig = new Rig(CONFIG);
  rig.open();
  const identity = { cluster, store: 3 as never };
  rig.input({ type: "identify", identity, ticket: rig.ticket() });
  rig.turn();
  for (let i = 1; i <= 6; i++) {
    rig.log(append(2, entriesFrom(3 * i - 2, 3 * i), hardState(1, 1, i)), append(3, [entry(i)]));
    if (i === 4) rig.log(destroy(3));
    rig.turn();
    if (i === 4) rig.freeze(marks({ 2: 9, 3: 0 }));
    rig.turn();
    if (i === 4) rig.log(append(3, entriesFrom(1, 4)));
    rig.turn();
  }
  const image = imageOf(rig.disk);
  const last = segment(rig.state.log.segments.length);
  rig.log(append(2, [entry(19)]));
  rig.turn();
  return { image: imageOf(rig.disk), last, lastBatch: image.get(last)!.length };
}

/** Opens a damaged image that must be refused: what is said of it. */
function refusal(image: Image): { reason: string; file: string; offset: number; detail: string } {
  const result = open(readerOf(image), CONFIG, wire);
  assert.not(result.ok, "damage must be refused");
  if (result.ok) throw new Error("unreachable");
  return result;
}

test("every flipped bit is refused with file and place, or lies in the last batch, which is cut off", () => {
  const { image, last, lastBatch } = store();
  const sound = open(readerOf(image), CONFIG, wire);
  assert.ok(sound.ok && image.size >= 4 && image.has(segment(3)));
  let cut = 0;
  for (const [file, bytes] of image) {
    for (let offset = 0; offset < bytes.length; offset++) {
      for (const mask of [0x01, 0x80]) {
        const result = open(
          readerOf(withFile(image, file, flipped(bytes, offset, mask))),
          CONFIG,
          wire,
        );
        if (result.ok) {
          assert.ok(file === last && offset >= lastBatch, `${file} at ${offset} passed`);
          const [group] = result.recovered.groups.filter(({ region }) => region === 2);
          assert.is(group?.entries.length, 18);
          cut += 1;
        } else {
          assert.is(result.file, file);
          assert.ok(result.offset <= offset && result.detail.length > 10);
        }
      }
    }
  }
  assert.ok(cut > 0);
});

test("a sector of zeros in the middle of the log is a hole, and refused", () => {
  const { image } = store();
  for (const number of [1, 2]) {
    const bytes = image.get(segment(number))!.slice();
    bytes.fill(0, 100, 200);
    const { reason, file, offset } = refusal(withFile(image, segment(number), bytes));
    assert.is(reason, "corrupt");
    assert.is(file, segment(number));
    assert.ok(offset <= 100);
  }
});

test("a hole in the last segment is refused where a batch stands behind it", () => {
  const { image, last, lastBatch } = store();
  const bytes = image.get(last)!.slice();
  for (let offset = HEADER_BYTES; offset < lastBatch; offset++) bytes[offset] = 0;
  const { file, offset, detail } = refusal(withFile(image, last, bytes));
  assert.is(file, last);
  assert.is(offset, HEADER_BYTES);
  assert.match(detail, `behind it at ${lastBatch}`);
});

test("a missing segment is named, at the start, in the middle, and at the end", () => {
  const { image, last } = store();
  assert.is(refusal(withFile(image, segment(1), undefined)).file, segment(1));
  assert.is(refusal(withFile(image, segment(2), undefined)).file, segment(2));
  const withoutLog = [...image.keys()]
    .filter((file) => file.startsWith("log"))
    .reduce((left, file) => withFile(left, file, undefined), image);
  assert.match(refusal(withoutLog).detail, /has no log/);
  // The manifest knows which batch it presupposes.
  const short = [2, 3, 4, 5, 6].reduce((left, n) => withFile(left, segment(n), undefined), image);
  assert.match(refusal(short).detail, /needs batch/);
  assert.ok(image.has(last));
});

test("segments that were swapped, cut or come from another store are refused", () => {
  const { image, last } = store();
  const one = image.get(segment(1))!;
  const two = image.get(segment(2))!;
  const swapped = withFile(withFile(image, segment(1), two), segment(2), one);
  assert.match(refusal(swapped).detail, /holds segment/);
  assert.is(refusal(withFile(image, segment(2), two.slice(0, -1))).file, segment(2));
  assert.is(refusal(withFile(image, segment(2), two.slice(0, HEADER_BYTES))).file, segment(3));
  const foreign = store(78n).image;
  assert.match(
    refusal(withFile(image, last, foreign.get(last))).detail,
    /belongs to another store/,
  );
  assert.match(
    refusal(withFile(image, MANIFEST, foreign.get(MANIFEST))).detail,
    /belongs to another store/,
  );
});

test("a batch that was written to another place, or over a later one, is refused", () => {
  const { image, last, lastBatch } = store();
  const bytes = image.get(last)!;
  const batch = bytes.subarray(lastBatch);
  const misplaced = new Uint8Array(bytes.length + batch.length);
  misplaced.set(bytes);
  misplaced.set(batch, bytes.length);
  // A copy behind the end is not a batch of this place: it is cut off and never replayed.
  const result = open(readerOf(withFile(image, last, misplaced)), CONFIG, wire);
  assert.ok(result.ok);
  const sound = open(readerOf(image), CONFIG, wire);
  assert.ok(
    result.ok && sound.ok && isDeepStrictEqual(result.recovered.groups, sound.recovered.groups),
  );
  // A copy over the start of the log is damage with batches behind it.
  const over = bytes.slice();
  over.set(batch.subarray(0, lastBatch - HEADER_BYTES), HEADER_BYTES);
  assert.is(refusal(withFile(image, last, over)).file, last);
});

test("a version that is not known is refused by name", () => {
  const { image } = store();
  for (const [file, kind, known] of [
    [segment(2), "log", 2],
    [MANIFEST, "manifest", 1],
  ] as const) {
    const bytes = image.get(file)!.slice();
    bytes[7] = 9;
    const { reason, offset, detail } = refusal(withFile(image, file, bytes));
    assert.is(reason, "unreadable");
    assert.is(offset, 7);
    assert.is(detail, `version 9 of the ${kind} format is unknown; this program knows ${known}`);
  }
});

test("a directory of checkpoints is refused by name", () => {
  const { image } = store();
  const old = "checkpoint-0000000000000004";
  const { reason, file, detail } = refusal(withFile(image, old, new Uint8Array(80)));
  assert.is(reason, "unreadable");
  assert.is(file, old);
  assert.match(detail, "version 1 of the checkpoint format is unknown");
});

test("a disk that does not answer is told from damage", () => {
  const { image } = store();
  const reader = {
    ...readerOf(image),
    read: () => ({ ok: false, reason: "io_error" }) as const,
  };
  const result = open(reader, CONFIG, wire);
  assert.ok(!result.ok && result.reason === "unreadable");
});

test.run();
