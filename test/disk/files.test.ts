import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { Ticket } from "../../engine/base/ids.ts";
import type { DiskInput } from "../../engine/storage/disk.ts";
import { openDisk } from "../../runtime/disk.ts";
import type { FileDisk } from "../../runtime/disk.ts";
import { suite } from "../harness.ts";
import { bytes, conforms } from "./conformance.ts";

const test = suite("files");

const scratch = (): string => mkdtempSync(join(tmpdir(), "rutile-disk-"));

const opened = (directory: string): FileDisk => {
  const result = openDisk(directory);
  if (!result.ok) throw new Error(result.detail);
  return result.disk;
};

conforms(test, "files", async () => {
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
});

test("a directory in use is refused by name and holder, in this process and in another, untouched", async () => {
  const directory = scratch();
  const disk = opened(directory);
  const before = readdirSync(directory);
  const again = openDisk(directory);
  assert.ok(!again.ok && again.detail.includes(directory));
  assert.ok(!again.ok && again.detail.includes(String(process.pid)));
  const module = fileURLToPath(new URL("../../runtime/disk.js", import.meta.url));
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
