import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { Ticket } from "../../engine/base/ids.ts";
import type { DiskInput, DiskOperation } from "../../engine/storage/disk.ts";
import { openDisk } from "../../runtime/files/disk.ts";
import type { FileDisk } from "../../runtime/files/disk.ts";
import type { OperationFailure } from "../../runtime/files/operations.ts";
import { DirectoryReader } from "../../runtime/files/reader.ts";
import { suite } from "../harness.ts";
import { bytes, conforms } from "./conformance.ts";
import type { Subject } from "./conformance.ts";
import { conformsInLanes } from "./lanes.ts";

const test = suite("files");

const scratch = (): string => mkdtempSync(join(tmpdir(), "rutile-disk-"));

/** What this process has open there, where the system tells; else 0. */
function openFilesBelow(directory: string): number {
  if (!existsSync("/proc/self/fd")) return 0;
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // It was the one that listed the others.
      return "";
    }
  });
  return links.filter((link) => link.startsWith(directory)).length;
}

const opened = (directory: string): FileDisk => {
  const result = openDisk(directory);
  if (!result.ok) throw new Error(result.detail);
  return result.disk;
};

const onFiles = async (): Promise<Subject> => {
  const directory = scratch();
  let disk = opened(directory);
  return {
    get reader() {
      return disk;
    },
    perform: (effect) => new Promise<DiskInput>((resolve) => disk.perform(effect, resolve)),
    restart: async () => {
      await disk.close();
      disk = opened(directory);
    },
    end: async () => {
      await disk.close();
      rmSync(directory, { recursive: true });
    },
  };
};

conforms(test, "files", onFiles);
conformsInLanes(test, "files", onFiles);

test("more files are read and written than are kept open", async () => {
  const directory = scratch();
  const disk = opened(directory);
  const names = Array.from({ length: 600 }, (_, i) => `table-${1000 + i}`);
  const written = await Promise.all(
    names.map(
      (file, i) =>
        new Promise<DiskInput>((resolve) => {
          const operations = [
            { type: "create" as const, file },
            { type: "append" as const, file, bytes: new Uint8Array(70_000).fill(i % 251) },
            { type: "sync" as const, file },
          ];
          const lane = i % 2 === 0 ? "log" : "table";
          disk.perform({ type: "write", lane, ticket: Ticket(i + 1), operations }, resolve);
        }),
    ),
  );
  assert.ok(written.every(({ type }) => type === "written"));
  assert.ok(openFilesBelow(directory) <= 258);
  for (const [i, file] of names.entries()) {
    const read = disk.read(file, 69_999, 10);
    assert.equal(read, { ok: true, bytes: bytes(i % 251) });
  }
  await disk.close();
  rmSync(directory, { recursive: true });
});

test("a slice of a job goes beside the lanes, and says which file failed", async () => {
  const directory = scratch();
  const disk = opened(directory);
  const slice = (...operations: DiskOperation[]): Promise<OperationFailure | undefined> =>
    new Promise((resolve) => disk.performSlice(operations, resolve));
  assert.is(
    await slice({ type: "create", file: "a" }, { type: "append", file: "a", bytes: bytes(7) }),
    undefined,
  );
  const failure = await slice({ type: "sync", file: "b" }, { type: "remove", file: "a" });
  assert.equal(failure, { reason: "missing", file: "b" });
  assert.equal(disk.read("a", 0, 9), { ok: true, bytes: bytes(7) });
  assert.ok(disk.free() > 0);
  await disk.close();
  rmSync(directory, { recursive: true });
});

test("another reader of a locked directory sees its files, and what it holds open survives removal", async () => {
  const directory = scratch();
  const disk = opened(directory);
  const run = (ticket: number, ...operations: DiskOperation[]): Promise<DiskInput> =>
    new Promise((resolve) =>
      disk.perform({ type: "write", lane: "table", ticket: Ticket(ticket), operations }, resolve),
    );
  const data = bytes(1, 2, 3);
  await run(
    1,
    { type: "create", file: "table-1" },
    { type: "append", file: "table-1", bytes: data },
  );
  const reader = new DirectoryReader(directory);
  assert.equal(reader.list(), ["table-1"]);
  assert.is(reader.size("table-1"), 3);
  assert.equal(reader.read("table-1", 1, 9), { ok: true, bytes: bytes(2, 3) });
  await run(2, { type: "remove", file: "table-1" });
  assert.equal(reader.read("table-1", 0, 1), { ok: true, bytes: bytes(1) });
  reader.close();
  assert.equal(reader.read("table-1", 0, 1), { ok: false, reason: "missing" });
  await disk.close();
  rmSync(directory, { recursive: true });
});

test("a directory in use is refused by name and holder, in this process and in another, untouched", async () => {
  const directory = scratch();
  const disk = opened(directory);
  const before = readdirSync(directory);
  const again = openDisk(directory);
  assert.ok(!again.ok && again.detail.includes(directory));
  assert.ok(!again.ok && again.detail.includes(String(process.pid)));
  const module = fileURLToPath(new URL("../../runtime/files/disk.js", import.meta.url));
  const script = `
    import { openDisk } from ${JSON.stringify(module)};
    const result = openDisk(${JSON.stringify(directory)});
    console.log(result.ok ? "in" : result.detail);
    process.exit(result.ok ? 0 : 3);`;
  const other = (): { status: number | null; text: string } => {
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script]);
    return { status: child.status, text: String(child.stdout) };
  };
  const refused = other();
  assert.is(refused.status, 3);
  assert.ok(refused.text.includes(`another process, ${process.pid}`), refused.text);
  assert.equal(readdirSync(directory), before);
  await disk.close();
  // The child got in, and left its claim behind as a killed process does: it blocks nobody.
  assert.is(other().status, 0);
  const successor = opened(directory);
  assert.equal(readdirSync(directory).length, 1);
  await successor.close();
  assert.equal(readdirSync(directory), []);
  rmSync(directory, { recursive: true });
});

test("a claim of an earlier boot, or of a process whose id was reused, is stale", async () => {
  const directory = scratch();
  const disk = opened(directory);
  const [own] = readdirSync(directory);
  await disk.close();
  const [, boot] = own!.split(".");
  writeFileSync(join(directory, `lock.0123456789abcdef.${process.pid}.77`), "");
  writeFileSync(join(directory, `lock.${boot}.${process.pid}.1`), "");
  const successor = opened(directory);
  assert.equal(readdirSync(directory), [own]);
  await successor.close();
  rmSync(directory, { recursive: true });
});

test("claims and foreign files are no files of the store", async () => {
  const directory = scratch();
  const disk = opened(directory);
  writeFileSync(join(directory, "README_by_hand"), "x");
  assert.equal(disk.list(), []);
  await disk.close();
  rmSync(directory, { recursive: true });
});

test("a directory that cannot be made is named", () => {
  const directory = scratch();
  writeFileSync(join(directory, "file"), "");
  const result = openDisk(join(directory, "file", "data"));
  assert.ok(!result.ok && result.detail.includes(join(directory, "file", "data")));
  rmSync(directory, { recursive: true });
});

test("an error of the disk is no_space or io_error, and the queue goes on", async () => {
  const directory = scratch();
  const disk = opened(directory);
  mkdirSync(join(directory, "folder"));
  // A device that is always full.
  const hasFull = existsSync("/dev/full");
  if (hasFull) symlinkSync("/dev/full", join(directory, "full"));
  const perform = (ticket: number, file: string): Promise<DiskInput> =>
    new Promise((resolve) => {
      disk.perform(
        {
          type: "write",
          lane: "log",
          ticket: Ticket(ticket),
          operations: [
            { type: "create", file },
            { type: "append", file, bytes: bytes(1) },
          ],
        },
        resolve,
      );
    });
  const failed = await perform(1, "folder");
  assert.equal(failed, {
    type: "write_failed",
    ticket: 1,
    reason: "io_error",
    file: "folder",
  });
  const full = await perform(3, "full");
  if (hasFull) assert.ok(full.type === "write_failed" && full.reason === "no_space");
  assert.equal(await perform(2, "a"), { type: "written", ticket: 2 });
  await disk.close();
  rmSync(directory, { recursive: true });
});

test.run();
