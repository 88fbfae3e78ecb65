/** A directory as a map of bytes, for tests that damage it in every way. */
import type { DiskOperation, DiskReader, FileName } from "../../engine/storage/disk.ts";
import { SimulatedDisk } from "../../sim/disk/disk.ts";

export type Image = ReadonlyMap<FileName, Uint8Array>;

/** What is on a disk now. */
export function imageOf(disk: DiskReader): Image {
  const image = new Map<FileName, Uint8Array>();
  for (const file of disk.list()) {
    const read = disk.read(file, 0, disk.size(file) ?? 0);
    if (!read.ok) throw new Error(`${file}: ${read.reason}`);
    image.set(file, read.bytes);
  }
  return image;
}

/** The same image with one file changed, or without it. */
export function withFile(image: Image, file: FileName, bytes: Uint8Array | undefined): Image {
  const next = new Map(image);
  if (bytes === undefined) next.delete(file);
  else next.set(file, bytes);
  return next;
}

/** The file's bytes with `mask` inverted at `offset`. */
export function flipped(bytes: Uint8Array, offset: number, mask: number): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = (copy[offset] ?? 0) ^ mask;
  return copy;
}

export function readerOf(image: Image): DiskReader {
  return {
    list: () => [...image.keys()].sort((a, b) => (a < b ? -1 : 1)),
    size: (file) => image.get(file)?.length,
    free: () => Number.MAX_SAFE_INTEGER,
    read: (file, offset, length) => {
      const bytes = image.get(file);
      if (bytes === undefined) return { ok: false, reason: "missing" };
      return { ok: true, bytes: bytes.slice(offset, offset + length) };
    },
    readInto: (file, offset, length, into) => {
      const bytes = image.get(file)?.subarray(offset, offset + length);
      if (bytes === undefined) return { ok: false, reason: "missing" };
      into.set(bytes);
      return { ok: true, length: bytes.length };
    },
  };
}

/** A simulated disk that durably holds the image. */
export function diskOf(image: Image): SimulatedDisk {
  const disk = new SimulatedDisk();
  const perform = (operation: DiskOperation): void => {
    disk.perform(operation, () => 0.5);
  };
  for (const [file, bytes] of image) {
    perform({ type: "create", file });
    perform({ type: "append", file, bytes });
    perform({ type: "sync", file });
  }
  perform({ type: "sync_directory" });
  return disk;
}
