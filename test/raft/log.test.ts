import fc from "fast-check";
import { equal, is, throws } from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import { LogIndex, Term } from "../../engine/base/ids.ts";
import * as logs from "../../engine/raft/log.ts";
import type { Log } from "../../engine/raft/log.ts";
import type { Entry } from "../../engine/raft/types.ts";
import { suite } from "../harness.ts";

const test = suite("raft: the log as a value");

const entry = (index: number, term: number): Entry => ({
  index: LogIndex(index),
  term: Term(term),
  type: "normal",
  data: EMPTY_BYTES,
});

/** The same log as an array, in the most obvious way. */
interface Model {
  readonly base: number;
  readonly baseTerm: number;
  readonly entries: readonly Entry[];
}

function same(log: Log, model: Model): void {
  const last = model.base + model.entries.length;
  is(log.base, model.base);
  is(log.last, last);
  is(log.lastTerm, model.entries.at(-1)?.term ?? model.baseTerm);
  equal(logs.slice(log, LogIndex(model.base + 1), LogIndex(last)), model.entries);
  is(logs.termAt(log, LogIndex(model.base)), model.baseTerm);
  is(logs.termAt(log, LogIndex(last + 1)), undefined);
  if (model.base > 0) is(logs.termAt(log, LogIndex(model.base - 1)), undefined);
}

test("after any appends, truncations and compactions the log is what an array would be, and so are all older logs", () => {
  const operation = fc.record({
    kind: fc.constantFrom("append", "append", "truncate", "compact"),
    amount: fc.nat({ max: 150 }),
    term: fc.nat({ max: 1 }),
  });
  fc.assert(
    fc.property(
      fc.nat({ max: 200 }),
      fc.array(operation, { maxLength: 30 }),
      (base, operations) => {
        let log = logs.emptyLog(LogIndex(base), Term(1));
        let model: Model = { base, baseTerm: 1, entries: [] };
        const older: [Log, Model][] = [];
        for (const { kind, amount, term } of operations) {
          older.push([log, model]);
          const last = model.base + model.entries.length;
          if (kind === "append") {
            const entries = Array.from({ length: amount }, (_, at) =>
              entry(last + 1 + at, log.lastTerm + term),
            );
            log = logs.append(log, entries);
            model = { ...model, entries: [...model.entries, ...entries] };
          } else if (kind === "truncate") {
            const to = Math.max(model.base, last - amount);
            log = logs.truncateAfter(log, LogIndex(to));
            model = { ...model, entries: model.entries.slice(0, to - model.base) };
          } else {
            const to = Math.min(last, model.base + amount);
            const baseTerm = model.entries[to - model.base - 1]?.term ?? model.baseTerm;
            log = logs.compactTo(log, LogIndex(to));
            model = { base: to, baseTerm, entries: model.entries.slice(to - model.base) };
          }
        }
        for (const [oldLog, oldModel] of older) same(oldLog, oldModel);
        same(log, model);
      },
    ),
    { includeErrorInReport: true, numRuns: 200 },
  );
});

test("a slice holds as much as fits in its bytes, and at least one entry", () => {
  const log = logs.append(logs.emptyLog(LogIndex(0), Term(0)), [
    entry(1, 1),
    entry(2, 1),
    entry(3, 1),
  ]);
  const size = logs.ENTRY_OVERHEAD_BYTES;
  is(logs.slice(log, LogIndex(1), LogIndex(3), 2 * size).length, 2);
  is(logs.slice(log, LogIndex(1), LogIndex(3), 1).length, 1);
});

test("where two logs can agree at best is found by term, as by trying every index", () => {
  const terms = fc.array(fc.nat({ max: 3 }), { maxLength: 12 });
  fc.assert(
    fc.property(
      terms,
      fc.nat({ max: 14 }),
      fc.nat({ max: 5 }),
      fc.nat({ max: 6 }),
      (steps, index, term, base) => {
        let current = 1;
        const entries = steps.map((step, at) => entry(at + 1, (current += step === 0 ? 1 : 0)));
        let log = logs.append(logs.emptyLog(LogIndex(0), Term(0)), entries);
        log = logs.compactTo(log, LogIndex(Math.min(base, entries.length)));
        const found = logs.agreementBefore(log, LogIndex(index), Term(term));
        let expected = Math.min(index, entries.length);
        while (expected >= Math.max(log.base, 1) && (entries[expected - 1]?.term ?? 0) > term) {
          expected -= 1;
        }
        is(found, expected);
      },
    ),
    { includeErrorInReport: true },
  );
});

test("holes, falling terms and truncation of what is not there are broken programs", () => {
  const log = logs.append(logs.emptyLog(LogIndex(4), Term(2)), [entry(5, 2)]);
  throws(() => logs.append(log, [entry(7, 2)]));
  throws(() => logs.append(log, [entry(6, 1)]));
  throws(() => logs.truncateAfter(log, LogIndex(3)));
  throws(() => logs.compactTo(log, LogIndex(6)));
  throws(() => logs.entryAt(log, LogIndex(4)));
});

test.run();
