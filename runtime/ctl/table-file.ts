/** A table by what its own file says, without a manifest. */
import { crc32 } from "../../engine/base/checksum.ts";
import type { DiskReader } from "../../engine/storage/disk.ts";
import { tableFile } from "../../engine/storage/table/file.ts";
import { readParts } from "../../engine/storage/table/open-table.ts";
import type { Checked } from "../../engine/storage/table/open-table.ts";
import type { TableMeta } from "../../engine/storage/table/types.ts";

const CHUNK = 1 << 20;

/**
 * What a manifest would say of the table that `disk` knows by `number`. The checksum is that of the
 * file as it is now.
 */
export function tableByItself(disk: DiskReader, number: number): Checked<TableMeta> {
  const size = disk.size(tableFile(number)) ?? 0;
  const parts = readParts(disk, number, size);
  if (!parts.ok) return parts;
  let crc = 0;
  for (let offset = 0; offset < size; offset += CHUNK) {
    const read = disk.read(tableFile(number), offset, CHUNK);
    if (!read.ok) {
      const detail = `the disk says ${read.reason}`;
      return { ok: false, flaw: { offset, reason: "unreadable", detail } };
    }
    crc = crc32(read.bytes, 0, read.bytes.length, crc);
  }
  return { ok: true, value: { ...parts.value.properties, number, size, crc32: crc } };
}
