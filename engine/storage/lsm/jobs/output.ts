/**
 * The tables that a job makes, as operations on their files. A table is closed when it has grown
 * enough, and clears that reach over its end are cut there, so that the tables of a family are
 * disjoint.
 */
import { assert } from "../../../base/assert.ts";
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import type { DiskOperation } from "../../disk.ts";
import { tableFile } from "../../table/file.ts";
import type { FilterBuilder } from "../../table/filter.ts";
import { TableWriter, filterBuilder } from "../../table/writer.ts";
import type { Clear, Entry, TableMeta } from "../../table/types.ts";
import type { ColumnFamily } from "../../types.ts";
import type { Job } from "../types.ts";

export type OutputPlan = Pick<Job, "type" | "firstNumber" | "numbers" | "options" | "tableBytes">;

export class JobOutput {
  /** Finished ones, ascending within each family. */
  readonly tables: TableMeta[] = [];
  writtenBytes = 0;
  private readonly plan: OutputPlan;
  private readonly cuts: readonly Key[];
  /** Of the first cut that no key has reached. */
  private cut = 0;
  /** One for all tables: it grows to a megabyte and lives too long for small collections. */
  private readonly filter: FilterBuilder | undefined;
  private used = 0;
  private operations: DiskOperation[] = [];
  private cf: ColumnFamily = "default";
  /** Numbers that later families need. */
  private spared = 0;
  /** Clears, or what is left of them, that no table of this family has yet. */
  private clears: readonly Clear[] = [];
  private writer: TableWriter | undefined;
  private number = 0;

  /** No table reaches over one of `cuts`, which ascend. */
  constructor(plan: OutputPlan, cuts: readonly Key[]) {
    this.plan = plan;
    this.cuts = cuts;
    this.filter = filterBuilder(plan.options);
  }

  /** Begins a family; `later` families come after it. */
  begin(cf: ColumnFamily, clears: readonly Clear[], later: number): void {
    assert(this.writer === undefined, "a family is ended before the next");
    this.cf = cf;
    this.clears = clears;
    this.spared = later;
  }

  /** Keys ascend. Borrows `entry`. */
  add(key: Key, entry: Entry): void {
    const { plan, cuts } = this;
    for (let cut = cuts[this.cut]; cut !== undefined && cut <= key; cut = cuts[++this.cut]) {
      if (this.writer !== undefined && this.mayGoOn) this.close(cut);
    }
    if ((this.writer?.size ?? 0) >= plan.tableBytes && this.mayGoOn) this.close(key);
    (this.writer ??= this.opened()).add(key, entry);
  }

  /** Ends the family: clears that are left go into its last table. */
  end(): void {
    if (this.clears.length > 0) this.writer ??= this.opened();
    if (this.writer !== undefined) this.close(EMPTY_KEY);
  }

  /** What is to be done since the last time. */
  slice(): readonly DiskOperation[] {
    if (this.writer !== undefined) this.append(this.writer.take());
    const { operations } = this;
    this.operations = [];
    return operations;
  }

  /** Whether a table may be closed: the last number takes all that is left. */
  private get mayGoOn(): boolean {
    return this.used + this.spared < this.plan.numbers;
  }

  private opened(): TableWriter {
    assert(this.used + this.spared < this.plan.numbers, "a job has numbers for its tables");
    this.number = this.plan.firstNumber + this.used;
    this.used += 1;
    this.operations.push({ type: "create", file: tableFile(this.number) });
    const { type, options } = this.plan;
    return new TableWriter(this.number, this.cf, options, this.filter, type === "extract");
  }

  /** Closes the table: what follows begins at `key`, or not at all. */
  private close(key: Key): void {
    const { writer } = this;
    assert(writer !== undefined, "a table is open");
    this.writer = undefined;
    const left: Clear[] = [];
    for (const { start, end } of this.clears) {
      if (key === EMPTY_KEY || (end !== EMPTY_KEY && end <= key)) {
        writer.clear({ start, end });
      } else if (start < key) {
        writer.clear({ start, end: key });
        left.push({ start: key, end });
      } else {
        left.push({ start, end });
      }
    }
    this.clears = left;
    const { parts, meta } = writer.finish();
    this.append(parts);
    this.operations.push({ type: "sync", file: tableFile(meta.number) });
    this.tables.push(meta);
    this.writtenBytes += meta.size;
  }

  private append(parts: readonly Uint8Array[]): void {
    const file = tableFile(this.number);
    for (const bytes of parts) this.operations.push({ type: "append", file, bytes });
  }
}
