/**
 * What every disk must do, whatever it is made of. Run against the simulated disk and against real
 * files, so that what the simulator teaches holds outside of it.
 */
import * as assert from "uvu/assert";
import { Ticket } from "../../engine/base/ids.ts";
import type {
  DiskInput,
  DiskOperation,
  DiskReader,
  WriteEffect,
} from "../../engine/storage/disk.ts";
import type { Suite } from "../harness.ts";

/** One disk under test, with an empty directory. */
export interface Subject {
  readonly reader: DiskReader;
  perform(effect: WriteEffect): Promise<DiskInput>;
  /** The process ends and another one takes over. */
  restart(): Promise<void>;
  end(): Promise<void>;
}

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

const create = (file: string): DiskOperation => ({ type: "create", file });
const append = (file: string, data: Uint8Array): DiskOperation => ({
  type: "append",
  file,
  bytes: data,
});
const sync = (file: string): DiskOperation => ({ type: "sync", file });
const SYNC_DIRECTORY: DiskOperation = { type: "sync_directory" };

/** Adds the rules to `test`. `make` makes a subject. */
export function conforms(test: Suite, name: string, make: () => Promise<Subject>): void {
  const rule = (title: string, body: (subject: Session) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const subject = await make();
      try {
        await body(new Session(subject));
      } finally {
        await subject.end();
      }
    });
  };

  rule("an empty directory has no files", async ({ reader }) => {
    assert.equal(reader.list(), []);
    assert.is(reader.size("log-1"), undefined);
    assert.equal(reader.read("log-1", 0, 10), { ok: false, reason: "missing" });
  });

  rule("appends stand one behind the other, and a read gives what is there", async (disk) => {
    await disk.does(create("log-1"), append("log-1", bytes(1, 2)), append("log-1", bytes(3)));
    await disk.does(append("log-1", bytes(4, 5)), sync("log-1"), SYNC_DIRECTORY);
    assert.is(disk.reader.size("log-1"), 5);
    assert.equal(disk.contents("log-1"), [1, 2, 3, 4, 5]);
    assert.equal(disk.reader.read("log-1", 1, 2), { ok: true, bytes: bytes(2, 3) });
    assert.equal(disk.reader.read("log-1", 3, 10), { ok: true, bytes: bytes(4, 5) });
    assert.equal(disk.reader.read("log-1", 9, 10), { ok: true, bytes: bytes() });
  });

  rule("a read into an array fills its beginning and leaves the rest", async (disk) => {
    await disk.does(create("a"), append("a", bytes(1, 2, 3)));
    const into = bytes(9, 9, 9, 9);
    assert.equal(disk.reader.readInto("a", 1, 2, into), { ok: true, length: 2 });
    assert.equal(into, bytes(2, 3, 9, 9));
    assert.equal(disk.reader.readInto("a", 2, 4, into), { ok: true, length: 1 });
    assert.equal(into, bytes(3, 3, 9, 9));
    assert.equal(disk.reader.readInto("a", 3, 4, into), { ok: true, length: 0 });
    assert.equal(disk.reader.readInto("b", 0, 4, into), { ok: false, reason: "missing" });
  });

  rule("what a read gave is not changed by later writes", async (disk) => {
    await disk.does(create("a"), append("a", bytes(1, 2, 3)));
    const read = disk.reader.read("a", 0, 3);
    await disk.does({ type: "truncate", file: "a", size: 0 }, append("a", bytes(9, 9, 9)));
    assert.equal(read, { ok: true, bytes: bytes(1, 2, 3) });
  });

  rule("large appends come back as they were", async (disk) => {
    const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 9)) & 0xff);
    await disk.does(create("big"), append("big", bytes(1)), append("big", large), sync("big"));
    assert.is(disk.reader.size("big"), 300_001);
    const read = disk.reader.read("big", 1, large.length);
    assert.ok(read.ok && Buffer.compare(read.bytes, large) === 0);
  });

  rule("create empties a file that exists", async (disk) => {
    await disk.does(create("a"), append("a", bytes(1, 2, 3)), create("a"));
    assert.is(disk.reader.size("a"), 0);
    await disk.does(append("a", bytes(4)));
    assert.equal(disk.contents("a"), [4]);
  });

  rule("truncate cuts, and appends go on at the cut", async (disk) => {
    await disk.does(create("a"), append("a", bytes(1, 2, 3, 4)));
    await disk.does({ type: "truncate", file: "a", size: 2 }, sync("a"), append("a", bytes(9)));
    assert.equal(disk.contents("a"), [1, 2, 9]);
  });

  rule("rename replaces its target, and the old name is gone", async (disk) => {
    await disk.does(create("a"), append("a", bytes(1)), create("b.tmp"), append("b.tmp", bytes(2)));
    await disk.does({ type: "rename", file: "b.tmp", to: "a" }, SYNC_DIRECTORY);
    assert.equal(disk.reader.list(), ["a"]);
    assert.equal(disk.contents("a"), [2]);
    await disk.does(append("a", bytes(3)));
    assert.equal(disk.contents("a"), [2, 3]);
  });

  rule("a removed file is gone, and its name can be used again", async (disk) => {
    await disk.does(create("a"), append("a", bytes(1)), { type: "remove", file: "a" });
    assert.equal(disk.reader.list(), []);
    assert.is(disk.reader.size("a"), undefined);
    await disk.does(create("a"));
    assert.equal(disk.contents("a"), []);
  });

  rule("files are listed in order of their names", async (disk) => {
    await disk.does(create("log-10"), create("log-2"), create("checkpoint-1"), create("log-1"));
    assert.equal(disk.reader.list(), ["checkpoint-1", "log-1", "log-10", "log-2"]);
  });

  rule(
    "the first failure ends an effect, with its file, and what follows is not done",
    async (disk) => {
      const input = await disk.perform(create("a"), append("b", bytes(1)), append("a", bytes(1)));
      assert.is(input.type, "write_failed");
      assert.ok(input.type === "write_failed" && input.reason === "missing" && input.file === "b");
      assert.is(disk.reader.size("a"), 0);
      for (const operation of [
        sync("c"),
        { type: "remove", file: "c" },
        { type: "truncate", file: "c", size: 0 },
        { type: "rename", file: "c", to: "d" },
      ] satisfies DiskOperation[]) {
        const failed = await disk.perform(operation);
        assert.ok(failed.type === "write_failed" && failed.reason === "missing", operation.type);
      }
    },
  );

  rule("effects are performed in the order in which they were given", async (disk) => {
    await disk.does(create("a"));
    const effects = [1, 2, 3, 4, 5].map((value) =>
      disk.perform(append("a", bytes(value)), sync("a")),
    );
    const inputs = await Promise.all(effects);
    assert.ok(inputs.every((input) => input.type === "written"));
    assert.equal(disk.contents("a"), [1, 2, 3, 4, 5]);
  });

  rule("what was synced is there after a restart of the process", async (disk) => {
    await disk.does(create("a"), append("a", bytes(1, 2)), sync("a"), SYNC_DIRECTORY);
    await disk.restart();
    assert.equal(disk.reader.list(), ["a"]);
    await disk.does(append("a", bytes(3)));
    assert.equal(disk.contents("a"), [1, 2, 3]);
  });
}

/** A subject with shorter words. */
class Session {
  readonly #subject: Subject;
  #ticket = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  get reader(): DiskReader {
    return this.#subject.reader;
  }

  perform(...operations: DiskOperation[]): Promise<DiskInput> {
    this.#ticket += 1;
    return this.#subject.perform({
      type: "write",
      lane: "log",
      ticket: Ticket(this.#ticket),
      operations,
    });
  }

  /** Performs, and fails the test where the disk refuses. */
  async does(...operations: DiskOperation[]): Promise<void> {
    const input = await this.perform(...operations);
    assert.is(input.type, "written");
  }

  contents(file: string): number[] {
    const read = this.reader.read(file, 0, this.reader.size(file) ?? 0);
    assert.ok(read.ok);
    return read.ok ? [...read.bytes] : [];
  }

  restart(): Promise<void> {
    return this.#subject.restart();
  }
}
