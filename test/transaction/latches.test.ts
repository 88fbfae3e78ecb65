import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { Ticket } from "../../engine/base/ids.ts";
import { acquire, isIdle, noLatches, release } from "../../engine/transaction/latches.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: latches");

const KEYS = ["a", "b", "c", "d"] as readonly string[] as readonly Key[];
const someKeys = fc.array(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 4 });

test("a call has its keys at once where nobody has any of them", () => {
  const first = acquire(noLatches(), Ticket(1), ["a", "b", "a"] as unknown as Key[]);
  assert.ok(first.granted);
  const apart = acquire(first.latches, Ticket(2), ["c"] as unknown as Key[]);
  assert.ok(apart.granted);
  const behind = acquire(apart.latches, Ticket(3), ["b", "c"] as unknown as Key[]);
  assert.not.ok(behind.granted);
  const one = release(behind.latches, Ticket(1));
  assert.equal(one.granted, []);
  const both = release(one.latches, Ticket(2));
  assert.equal(both.granted, [3]);
});

test("a call that gives up while it waits lets those behind it pass", () => {
  let { latches } = acquire(noLatches(), Ticket(1), KEYS);
  latches = acquire(latches, Ticket(2), KEYS).latches;
  latches = acquire(latches, Ticket(3), KEYS).latches;
  const left = release(latches, Ticket(2));
  assert.equal(left.granted, []);
  assert.equal(release(left.latches, Ticket(1)).granted, [3]);
});

test("calls on a key go one at a time, in the order they came, and all of them go", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(someKeys, fc.nat(3)), { maxLength: 40 }),
      fc.infiniteStream(fc.nat(1000)),
      (calls, choices) => {
        let latches = noLatches();
        const keysOf = new Map<Ticket, ReadonlySet<Key>>();
        const running = new Set<Ticket>();
        const served = new Map<Key, Ticket[]>();
        const begin = (ticket: Ticket): void => {
          for (const key of keysOf.get(ticket) ?? []) {
            for (const other of running) assert.not.ok(keysOf.get(other)?.has(key));
            const before = served.get(key) ?? [];
            assert.ok(
              before.every((earlier) => earlier < ticket),
              "in order of arrival",
            );
            served.set(key, [...before, ticket]);
          }
          running.add(ticket);
        };
        const finishOne = (): void => {
          const list = [...running];
          const ticket = list[Number(choices.next().value) % list.length] as Ticket;
          running.delete(ticket);
          const next = release(latches, ticket);
          latches = next.latches;
          for (const granted of next.granted) begin(granted);
        };
        for (const [i, [keys, finishes]] of calls.entries()) {
          const ticket = Ticket(i + 1);
          keysOf.set(ticket, new Set(keys));
          const taken = acquire(latches, ticket, keys);
          latches = taken.latches;
          if (taken.granted) begin(ticket);
          for (let n = 0; n < finishes && running.size > 0; n++) finishOne();
        }
        while (running.size > 0) finishOne();
        assert.ok(isIdle(latches));
        const count = [...served.values()].reduce((sum, list) => sum + list.length, 0);
        const wanted = [...keysOf.values()].reduce((sum, keys) => sum + keys.size, 0);
        assert.is(count, wanted);
      },
    ),
    { includeErrorInReport: true, numRuns: 200 },
  );
});

test.run();
