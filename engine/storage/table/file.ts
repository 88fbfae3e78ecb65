/** The names of table files. */
import { assert } from "../../base/assert.ts";
import type { FileName } from "../disk.ts";

const DIGITS = 16;
const NAME = /^table-(\d{16})$/;

/** The file of the table with this number. Names ascend as numbers do. */
export function tableFile(number: number): FileName {
  assert(Number.isSafeInteger(number) && number >= 0, "a table's number is a safe integer");
  return `table-${String(number).padStart(DIGITS, "0")}`;
}

/** The number of the table in this file; undefined where it is the file of something else. */
export function tableNumber(file: FileName): number | undefined {
  const digits = NAME.exec(file)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
