/** `rutile ctl` on directories that are whole, and on the same with one thing damaged. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { escaped, Key } from "../../engine/base/bytes.ts";
import { LogIndex, RegionId, Term } from "../../engine/base/ids.ts";
import { runJob } from "../../engine/storage/lsm/jobs/job.ts";
import { Workspace } from "../../engine/storage/lsm/workspace.ts";
import { stackOf, withMemtable } from "../../engine/storage/state.ts";
import { TableCache } from "../../engine/storage/table/cache.ts";
import { tableFile } from "../../engine/storage/table/file.ts";
import { TOMBSTONE } from "../../engine/storage/table/types.ts";
import { dump } from "../../runtime/ctl/dump.ts";
import type { DumpOptions } from "../../runtime/ctl/dump.ts";
import { OneFile } from "../../runtime/ctl/one-file.ts";
import { verify } from "../../runtime/ctl/verify.ts";
import type { Report } from "../../runtime/ctl/verify.ts";
import { openDisk } from "../../runtime/files/disk.ts";
import { endedWith } from "../../runtime/jobs/code.ts";
import { DirectoryReader } from "../../runtime/files/reader.ts";
import { suite } from "../harness.ts";
import { CONFIG, Rig } from "../storage/rig.ts";
import { append, bytes, compact, entriesFrom, hardState } from "../storage/records.ts";
import { MemoryDisk, OPTIONS, build } from "../storage/table/tables.ts";

const test = suite("runtime/ctl");

const CLI = fileURLToPath(new URL("../../runtime/cli.js", import.meta.url));
const TABLE = tableFile(1);
const LOG = ["log-0000000000000001", "log-0000000000000002"] as const;
const MANIFEST = "manifest-0000000000000001";

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function ctl(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, "ctl", ...args], { timeout: 20_000 }, (error, out, err) => {
      resolve({ status: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

/** What `ctl dump` prints, and whether some of it is damage. */
function dumped(path: string, options: Partial<DumpOptions> = {}): { out: string; bad: boolean } {
  const file = new OneFile(path);
  const limit = Number.POSITIVE_INFINITY;
  const lines = [...(dump(file, { json: false, keysOnly: false, limit, ...options }) ?? [])];
  file.close();
  return {
    out: lines.map(({ text }) => `${text}\n`).join(""),
    bad: lines.some(({ isDamage }) => isDamage),
  };
}

/** A directory with three segments of the log, a manifest and the table that it names. */
async function withStore(body: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rutile-ctl-"));
  const rig = new Rig({ ...CONFIG, segmentBytes: 300, lsm: { ...CONFIG.lsm, table: OPTIONS } });
  rig.start();
  for (let i = 0; i < 6; i++) {
    rig.log(append(2, entriesFrom(1 + 2 * i, 2 + 2 * i), hardState(1, 0, 2 * i)));
    rig.turn();
  }
  flushTable(rig);
  // From here on the log needs what the manifest says.
  rig.log(compact(2, 2));
  rig.turn();
  rig.log(append(2, entriesFrom(13, 13)));
  rig.turn();
  for (const file of rig.disk.list()) {
    const read = rig.disk.read(file, 0, 1 << 20);
    if (read.ok) writeFileSync(join(directory, file), read.bytes);
  }
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A hundred keys of region 2, applied up to 12, and what is not theirs from x to y. */
function flushTable(rig: Rig): void {
  const workspace = new Workspace(stackOf(rig.state), new TableCache(rig.disk, 0));
  const cf = "default";
  for (let i = 0; i < 100; i++) {
    const key = Key(`key-${String(i).padStart(3, "0")}`);
    workspace.perform({ type: "put", cf, key, value: bytes(`value ${i}`) });
  }
  rig.state = withMemtable(rig.state, workspace.done());
  const applied = { applied: LogIndex(12), appliedTerm: Term(1), meta: bytes("meta") };
  rig.input({ type: "freeze", marks: [{ region: RegionId(2), ...applied }] });
  rig.turn();
  for (const effect of rig.seen) {
    if (effect.type !== "job") continue;
    const slices = runJob(effect.job, rig.disk);
    for (let slice = slices.next(); ; slice = slices.next()) {
      if (slice.done === true) {
        rig.input(endedWith(effect.ticket, slice.value));
        break;
      }
      for (const operation of slice.value) {
        if (!rig.disk.perform(operation, rig.random).ok) throw new Error("the disk refuses");
      }
    }
  }
  rig.turn();
  while (rig.disk.start(rig.random, "table") !== undefined) {
    rig.input(rig.disk.finish(rig.random, "table"));
    rig.settle();
  }
}

function reportOf(directory: string): Report {
  const reader = new DirectoryReader(directory);
  const steps = verify(reader);
  for (;;) {
    const step = steps.next();
    if (step.done !== true) continue;
    reader.close();
    return step.value;
  }
}

function flip(file: string, offset: number): void {
  const contents = readFileSync(file);
  contents[offset]! ^= 0x10;
  writeFileSync(file, contents);
}

test("a whole directory has no findings, and its owner is named", () =>
  withStore((directory) => {
    const { identity, logs, tables, findings, leftovers } = reportOf(directory);
    assert.equal(identity, { cluster: 77n, store: 3 });
    assert.equal([logs, tables, findings, leftovers], [2, 1, [], []]);
  }));

test("each damaged byte of a table, and of all but the last batch of the log, is found in its file", () =>
  withStore((directory) => {
    for (const [file, end] of [
      [TABLE, undefined],
      [LOG[0], undefined],
      [LOG[1], 57],
    ] as const) {
      const path = join(directory, file);
      const whole = readFileSync(path);
      for (let offset = 0; offset < (end ?? whole.length); offset += 7) {
        flip(path, offset);
        const files = reportOf(directory).findings.map((finding) => finding.file);
        assert.ok(files.includes(file), `${file} at ${offset}: ${files.join(" ")}`);
        writeFileSync(path, whole);
      }
    }
  }));

test("all damage is named, not only the first", () =>
  withStore((directory) => {
    flip(join(directory, LOG[0]), 120);
    flip(join(directory, LOG[0]), 250);
    flip(join(directory, TABLE), 50);
    flip(join(directory, TABLE), 600);
    const { findings } = reportOf(directory);
    assert.equal(
      findings.map(({ file }) => file),
      [LOG[0], LOG[0], TABLE, TABLE],
    );
    const [first] = findings.filter(({ keys }) => keys !== undefined);
    assert.equal([first?.offset, first?.keys?.cf, first?.keys?.start], [0, "default", "key-000"]);
  }));

test("a torn tail of the log is no damage: the next start cuts it off", () =>
  withStore((directory) => {
    const path = join(directory, LOG[1]);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length - 3));
    assert.equal(reportOf(directory).findings, []);
  }));

test("whatever is missing or another file's is a finding", () => {
  for (const file of [LOG[0], TABLE, MANIFEST]) {
    void withStore((directory) => {
      rmSync(join(directory, file));
      assert.ok(reportOf(directory).findings.length > 0, file);
    });
  }
});

test("verify and dump end with 0 where all is whole and with 1 where something is damaged", () =>
  withStore(async (directory) => {
    const table = join(directory, TABLE);
    const [text, dumped] = await Promise.all([
      ctl("verify", "--data-dir", directory),
      ctl("dump", "--limit", "1", table),
    ]);
    assert.equal([text.status, text.err, dumped.status], [0, "", 0]);
    assert.match(text.out, "node 3 of cluster 77: 2 log segments, 1 table");
    assert.match(text.out, "no damage\n");
    assert.match(dumped.out, "key-000 = value 0");
    flip(table, 20);
    const damaged = await ctl("verify", "--data-dir", directory);
    assert.is(damaged.status, 1);
    assert.match(damaged.out, `${TABLE} at byte 0: corrupt: `);
    assert.match(damaged.out, "(unknown: default from key-000 to key-");
    const [machine, bad] = await Promise.all([
      ctl("verify", "--json", "--data-dir", directory),
      ctl("dump", "--json", table),
    ]);
    assert.equal([machine.status, bad.status], [1, 1]);
    const { findings } = JSON.parse(machine.out) as { findings: { file: string }[] };
    assert.equal([findings.length, findings[0]?.file], [1, TABLE]);
  }));

test("ctl verify refuses a directory in use, a missing one and a foreign one with status 2", () =>
  withStore(async (directory) => {
    const opened = openDisk(directory);
    if (!opened.ok) throw new Error(opened.detail);
    const foreign = mkdtempSync(join(tmpdir(), "rutile-foreign-"));
    writeFileSync(join(foreign, "notes.txt"), "hello");
    const outcomes = await Promise.all([
      ctl("verify", "--data-dir", directory),
      ctl("verify", "--data-dir", join(directory, "nowhere")),
      ctl("verify", "--data-dir", foreign),
      ctl("dump", join(foreign, "notes.txt")),
    ]);
    for (const { status, out, err } of outcomes) {
      assert.equal([status, out], [2, ""], err);
      assert.match(err, /^error: .*\n$/);
    }
    await opened.disk.close();
    rmSync(foreign, { recursive: true });
  }));

test("a dump prints a segment's batches and records, and goes on behind damage", () =>
  withStore((directory) => {
    const path = join(directory, LOG[0]);
    const whole = dumped(path);
    assert.not(whole.bad);
    assert.match(whole.out, /^log 1 of store 3 in cluster 77; first batch 1; oldest segment/);
    assert.match(whole.out, /\n {2}append region=2 term=1 vote=0 commit=2 entries=3\.\.4\n/);
    assert.is(dumped(path, { limit: 1, keysOnly: true }).out.trim().split("\n").length, 2);
    flip(path, 120);
    const damaged = dumped(path);
    assert.ok(damaged.bad);
    assert.match(damaged.out, /\nDAMAGED at byte 87: the payload of the frame /);
    assert.match(damaged.out, "entries=3..4");
    for (const line of dumped(path, { json: true }).out.trim().split("\n")) JSON.parse(line);
  }));

test("a dump prints the edits of a manifest", () =>
  withStore((directory) => {
    const { out, bad } = dumped(join(directory, MANIFEST));
    assert.not(bad);
    assert.match(out, /^manifest 1 of store 3 in cluster 77\nedit 1 at byte 56: \d+ bytes\n/);
    assert.match(out, "\n  add to level 0 1: table of default, ");
    assert.match(out, "\n  mark region=2 applied=12 term=1 meta=4 bytes\n");
    const [, line] = dumped(join(directory, MANIFEST), { json: true }).out.split("\n");
    const { contents } = JSON.parse(line!) as { contents: { added: { smallest: string }[] } };
    assert.is(contents.added[0]?.smallest, "6b65792d303030");
  }));

test("a dump prints a table whatever its file is called, and what damage leaves of it", () =>
  withStore((directory) => {
    const path = join(directory, "a copy");
    const memory = new MemoryDisk();
    const entries = Array.from({ length: 100 }, (_, i) => {
      const key = Key(`key-${String(i).padStart(3, "0")}`);
      return [key, i === 5 ? TOMBSTONE : bytes(`value ${i}`)] as const;
    });
    build(memory, 7, { cf: "default", entries, clears: [{ start: Key("x"), end: Key("y") }] });
    writeFileSync(path, memory.files.get(tableFile(7))!);
    const whole = dumped(path);
    assert.not(whole.bad);
    assert.match(whole.out, "100 entries (1 tombstone), 1 clear, keys key-000 to before y");
    assert.match(whole.out, "\n  clears x to y\n");
    assert.match(whole.out, "\nkey-004 = value 4\nkey-005 deleted\nkey-006 = value 6\n");
    assert.match(whole.out, "\nkey-099 = value 99\n");
    const keys = dumped(path, { keysOnly: true, limit: 3 });
    assert.equal(keys.out.split("\n").slice(2), ["key-000", "key-001", "key-002", ""]);
    const objects = dumped(path, { json: true }).out.split("\n");
    assert.equal(JSON.parse(objects[6]!), { key: "6b65792d303035", deleted: true });
    flip(path, 300);
    const damaged = dumped(path);
    assert.ok(damaged.bad);
    assert.match(damaged.out, /\nDAMAGED at byte \d+: /);
    assert.match(damaged.out, "\nkey-000 = value 0\n");
    assert.match(damaged.out, "\nkey-099 = value 99\n");
  }));

test("keys are shown as letters where they are some, and as TiKV's tools show bytes else", () => {
  assert.is(escaped(Key('t\x80a"b\\ ~\x00')), 't\\x80a"b\\\\ ~\\x00');
});

test.run();
