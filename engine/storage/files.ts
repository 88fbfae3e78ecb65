/** The names of a store's files. */
import type { FileName } from "./disk.ts";

const DIGITS = 16;
const TEMPORARY = ".tmp";

export type FileKind = "log" | "manifest";

const numbered = (kind: FileKind, number: number): FileName =>
  `${kind}-${String(number).padStart(DIGITS, "0")}`;

export const segmentFile = (number: number): FileName => numbered("log", number);
export const manifestFile = (number: number): FileName => numbered("manifest", number);

/** What a file is called until it is whole. */
export const temporary = (file: FileName): FileName => `${file}${TEMPORARY}`;

/** What the file would be called if it were whole; undefined where it is called that. */
export const finalName = (file: FileName): FileName | undefined =>
  file.endsWith(TEMPORARY) ? file.slice(0, -TEMPORARY.length) : undefined;

/** Whether the file is of a version of this program that kept data in checkpoints. */
export const isCheckpoint = (file: FileName): boolean => /^checkpoint-[0-9]{16}$/.test(file);

/** The number in the name of a file of this kind, or undefined. */
export function fileNumber(kind: FileKind, file: FileName): number | undefined {
  if (file.length !== kind.length + 1 + DIGITS || !file.startsWith(`${kind}-`)) return undefined;
  const digits = file.slice(kind.length + 1);
  return /^[0-9]+$/.test(digits) ? Number(digits) : undefined;
}
