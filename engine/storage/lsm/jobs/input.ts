/**
 * One run of tables as a job reads it: forwards, once, and around the damage that does not matter.
 */
import { assert, fail } from "../../../base/assert.ts";
import { EMPTY_KEY } from "../../../base/bytes.ts";
import type { Key } from "../../../base/bytes.ts";
import type { TableCache } from "../../table/cache.ts";
import { ReadAhead } from "../../table/stream.ts";
import type { Clear, Entry, EntryCursor, TableDamage } from "../../table/types.ts";
import { endsBefore, firstReaching } from "../run.ts";
import type { Run } from "../run.ts";

/**
 * Damage inside a range that something newer clears is leapt over: it would not be seen anyway. Any
 * other damage ends the run, and is there to be asked for. An entry is good until the next step.
 */
export class JobInput implements EntryCursor {
  /** What has ended the run before its time. */
  damage: TableDamage | undefined;
  private readonly run: Run;
  private readonly tables: TableCache;
  private readonly hidden: readonly Clear[];
  private readonly ahead: ReadAhead = new ReadAhead();
  private at = -1;
  /** Of the table at `at`, standing at an entry. */
  private here: EntryCursor | undefined;

  /** `hidden` is what newer sources clear. */
  constructor(run: Run, tables: TableCache, hidden: readonly Clear[]) {
    this.run = run;
    this.tables = tables;
    this.hidden = hidden;
  }

  get valid(): boolean {
    return this.here !== undefined;
  }

  get key(): Key {
    return this.here!.key;
  }

  get entry(): Entry {
    return this.here!.entry;
  }

  seek(key: Key): void {
    if (this.damage === undefined) this.enter(firstReaching(this.run, key), key);
  }

  next(): void {
    const { here } = this;
    assert(here !== undefined, "a step is made from an entry");
    here.next();
    if (!here.valid) this.leave(here);
  }

  seekBefore(): void {
    fail("a job reads forwards");
  }

  previous(): void {
    fail("a job reads forwards");
  }

  /** To the first entry from `key` on in table `index` or one behind it. */
  private enter(index: number, key: Key): void {
    this.here = undefined;
    const table = this.run[index];
    if (table === undefined) return;
    this.at = index;
    const cursor = this.tables.stream(table, this.ahead);
    cursor.seek(key);
    if (cursor.valid) this.here = cursor;
    else this.leave(cursor);
  }

  /** `cursor` stands nowhere: at the end of its table, or before damage. */
  private leave(cursor: EntryCursor): void {
    this.here = undefined;
    for (;;) {
      const [damage] = this.tables.takeDamage();
      if (damage === undefined) {
        this.enter(this.at + 1, EMPTY_KEY);
        return;
      }
      if (!this.isHidden(damage)) {
        this.damage = damage;
        return;
      }
      // Behind the last block there is nothing to leap to: one would meet the same damage again.
      if (damage.end === EMPTY_KEY || endsBefore(this.run[this.at]!, damage.end)) continue;
      cursor.seek(damage.end);
      if (cursor.valid) {
        this.here = cursor;
        return;
      }
    }
  }

  private isHidden({ start, end }: TableDamage): boolean {
    return this.hidden.some(
      (clear) =>
        clear.start <= start &&
        (clear.end === EMPTY_KEY || (end !== EMPTY_KEY && end <= clear.end)),
    );
  }
}
