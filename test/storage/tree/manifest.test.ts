import * as assert from "uvu/assert";
import { Key, hex } from "../../../engine/base/bytes.ts";
import { LogIndex, RegionId, Term } from "../../../engine/base/ids.ts";
import { createWire } from "../../../engine/base/wire.ts";
import { manifestFile } from "../../../engine/storage/files.ts";
import { HEADER_BYTES } from "../../../engine/storage/log/frame.ts";
import { applyEdit, editOf, noFacts } from "../../../engine/storage/lsm/manifest/edit.ts";
import type { Facts, ManifestEdit } from "../../../engine/storage/lsm/manifest/edit.ts";
import {
  appendEdit,
  replayManifest,
  rewriteManifest,
} from "../../../engine/storage/lsm/manifest/manifest.ts";
import type { ManifestWrite } from "../../../engine/storage/lsm/manifest/manifest.ts";
import { open } from "../../../engine/storage/open.ts";
import type { Recovered } from "../../../engine/storage/types.ts";
import { suite } from "../../harness.ts";
import { flipped, imageOf, readerOf, withFile } from "../image.ts";
import type { Image } from "../image.ts";
import { bytes, meta } from "../records.ts";
import { IDENTITY } from "../rig.ts";
import { generator } from "../../disk/random.ts";
import { Owner } from "./owner.ts";
import { SMALL_STORE, TreeRig } from "./rig.ts";

const test = suite("manifest");

const wire = createWire();

const NOTHING: ManifestEdit = {
  batch: 0,
  nextNumber: 1,
  added: [],
  removed: [],
  marks: [],
  forgotten: [],
  quarantined: [],
  healed: [],
  pointers: [],
};

const FIRST: ManifestEdit = {
  ...NOTHING,
  batch: 3,
  nextNumber: 5,
  added: [{ level: 0, table: meta(4, "a", "c") }],
  marks: [
    { region: RegionId(2), applied: LogIndex(7), appliedTerm: Term(1), meta: bytes("two") },
    { region: RegionId(3), applied: LogIndex(1), appliedTerm: Term(1), meta: bytes("") },
  ],
  quarantined: [RegionId(2)],
};

const SECOND: ManifestEdit = {
  ...NOTHING,
  batch: 4,
  nextNumber: 9,
  added: [{ level: 1, table: meta(6, "a", "c", { cf: "write" }) }],
  removed: [{ cf: "default", level: 0, number: 4 }],
  forgotten: [RegionId(3)],
  healed: [RegionId(2)],
  pointers: [{ cf: "lock", level: 2, key: Key("b") }],
};

/** The bytes that the appends of a write make. */
const contents = ({ operations }: ManifestWrite): Uint8Array =>
  Uint8Array.from(operations.flatMap((op) => (op.type === "append" ? [...op.bytes] : [])));

function twoEdits(): { readonly bytes: Uint8Array; readonly second: number } {
  const first = rewriteManifest(undefined, noFacts(), FIRST, IDENTITY, wire);
  const second = appendEdit(first.manifest, SECOND, wire);
  const all = [...contents(first), ...contents(second)];
  return { bytes: Uint8Array.from(all), second: first.manifest.size };
}

function after(facts: Facts, edit: ManifestEdit): Facts {
  const result = applyEdit(facts, edit);
  if (typeof result === "string") throw new Error(result);
  return result;
}

const FILE = manifestFile(1);
const read = (content: Uint8Array): ReturnType<typeof replayManifest> =>
  replayManifest(readerOf(new Map([[FILE, content]])), 1, wire);

const GOLDEN: readonly string[] = [
  "525554494c454d01", // magic and version
  "000000000000004d", // cluster 77
  "0000000000000003", // store 3
  "0000000000000001", // number
  "0000000000000001", // sequence of the first edit
  "0000000000000000",
  "00000000",
];

const FIRST_PAYLOAD =
  "990305" + // batch, next number
  "9192009a0400cd03e80a0090c40161c40163c207" + // added
  "90" + // removed
  "9294020701c40374776f94030101c400" + // marks
  "90910290" + // forgotten, quarantined, healed
  "90"; // pointers
const SECOND_PAYLOAD =
  "990409" + // batch, next number
  "9192019a0602cd03e80a0090c40161c40163c207" + // added
  "9193000004" + // removed
  "90" + // marks
  "9103" + // forgotten
  "90" + // quarantined
  "9102" + // healed
  "91930102c40162"; // pointers

test("a manifest has this shape", () => {
  const { bytes: content, second } = twoEdits();
  const text = hex(content);
  assert.ok(text.startsWith(GOLDEN.join("")), text.slice(0, 112));
  const payload = (from: number): string => text.slice(2 * (from + 28));
  assert.is(payload(HEADER_BYTES).slice(0, 2 * (second - HEADER_BYTES - 28)), FIRST_PAYLOAD);
  assert.is(payload(second), SECOND_PAYLOAD);
});

test("what was written is read, and edits do what they say", () => {
  const { bytes: content } = twoEdits();
  const result = read(content);
  assert.ok(result.ok);
  if (!result.ok) return;
  const facts = after(after(noFacts(), FIRST), SECOND);
  assert.equal(editOf(result.facts), editOf(facts));
  assert.equal(editOf(facts), {
    ...SECOND,
    removed: [],
    marks: FIRST.marks.slice(0, 1),
    forgotten: [],
    healed: [],
  });
  assert.equal(result.identity, IDENTITY);
  assert.is(result.manifest.size, content.length);
  assert.is(result.manifest.sequence, 2);
  // One edit says it all.
  assert.equal(editOf(after(noFacts(), editOf(facts))), editOf(facts));
});

test("every flipped bit is refused with its place, or lies in the last edit, which is cut off", () => {
  const { bytes: content, second } = twoEdits();
  let cut = 0;
  for (let offset = 0; offset < content.length; offset++) {
    for (const mask of [0x01, 0x80]) {
      const result = read(flipped(content, offset, mask));
      if (result.ok) {
        assert.ok(offset >= second && result.manifest.torn && result.manifest.size === second);
        cut += 1;
      } else {
        assert.is(result.file, FILE);
        assert.ok(result.offset <= offset && result.detail.length > 10);
        assert.ok(offset < second, `refused at ${offset}`);
      }
    }
  }
  assert.ok(cut > 100);
});

test("an edit torn at any byte is cut off, the first one is refused", () => {
  const { bytes: content, second } = twoEdits();
  for (let size = 0; size < content.length; size++) {
    const result = read(content.slice(0, size));
    if (size < second) assert.not(result.ok);
    else assert.ok(result.ok && result.manifest.size === second);
  }
});

test("damage before a whole edit is refused, and so is an unknown version", () => {
  const first = rewriteManifest(undefined, noFacts(), FIRST, IDENTITY, wire);
  const second = appendEdit(first.manifest, { ...NOTHING, nextNumber: 6 }, wire);
  const third = appendEdit(second.manifest, { ...NOTHING, nextNumber: 7 }, wire);
  const parts = [first, second, third].map(contents);
  const content = Uint8Array.from(parts.flatMap((part) => [...part]));
  for (let offset = first.manifest.size; offset < second.manifest.size; offset++) {
    const result = read(flipped(content, offset, 0x04));
    assert.ok(!result.ok && result.offset === first.manifest.size);
  }
  const result = read(flipped(content, 7, 0x08));
  assert.ok(!result.ok && result.reason === "unreadable");
  if (!result.ok) {
    assert.is(result.detail, "version 9 of the manifest format is unknown; this program knows 1");
  }
});

test("edits that cannot be true are refused", () => {
  const refused = (edit: Partial<ManifestEdit>): string => {
    const result = applyEdit(after(noFacts(), FIRST), { ...NOTHING, ...edit });
    return typeof result === "string" ? result : "";
  };
  const removed = [{ cf: "default", level: 1, number: 4 }] as const;
  assert.match(refused({ removed }), /table 4 is not in level 1/);
  const added = [
    { level: 2, table: meta(7, "a", "m") },
    { level: 2, table: meta(8, "m", "z") },
  ];
  assert.match(refused({ added }), /overlap/);
});

/** A store that has compacted, and lives on in a few tables. */
function store(): Image {
  const rig = new TreeRig(SMALL_STORE, generator(6)).start();
  const owner = new Owner(rig);
  for (let round = 0; round < 4; round++) {
    const ops = Array.from({ length: 12 }, (_, i) => ({
      cf: "default" as const,
      type: "put" as const,
      key: `a${10 + i}`,
      end: "",
      value: "v".repeat(30),
    }));
    owner.write(1, ops);
    owner.turn();
    rig.settle();
    owner.look();
    owner.freeze();
    rig.settle();
    owner.look();
    owner.turn();
    rig.settle();
  }
  return imageOf(rig.disk);
}

test("a table that is missing or cut is named with its keys, and the rest is there", () => {
  const image = store();
  const damage = (damaged: Image): Recovered["damage"] => {
    const result = open(readerOf(damaged), SMALL_STORE, createWire());
    if (!result.ok) throw new Error(result.detail);
    const taken = new Set(result.recovered.damage.map(({ table }) => table));
    assert.equal(result.state.tree.damaged, taken, "compactions leave it alone");
    return result.recovered.damage;
  };
  const file = [...image.keys()].find((name) => name.startsWith("table-"))!;
  assert.equal(damage(image), []);
  const [missing, ...others] = damage(withFile(image, file, undefined));
  assert.equal([missing?.file, missing?.detail, others], [file, "the table is missing", []]);
  assert.ok(missing!.start < missing!.end);
  const bytes = image.get(file)!;
  const [cut] = damage(withFile(image, file, bytes.slice(1)));
  assert.match(cut!.detail, `the table has ${bytes.length - 1} bytes instead of ${bytes.length}`);
  assert.is(damage(withFile(image, file, Uint8Array.from([...bytes, 0]))).length, 1);
});

test("a store whose manifest or log is missing is refused by name", () => {
  const image = store();
  const refusal = (damaged: Image): string => {
    const result = open(readerOf(damaged), SMALL_STORE, createWire());
    if (result.ok) throw new Error("damage must be refused");
    return result.detail;
  };
  const files = [...image.keys()];
  const manifest = files.find((file) => file.startsWith("manifest-"))!;
  // Without its manifest the log begins behind what is known.
  assert.match(refusal(withFile(image, manifest, undefined)), /log starts behind/);
  const withoutLog = files
    .filter((file) => file.startsWith("log-"))
    .reduce((left, file) => withFile(left, file, undefined), image);
  assert.match(refusal(withoutLog), /has no log/);
});

test.run();
