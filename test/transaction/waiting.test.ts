import * as assert from "uvu/assert";
import { EMPTY_BYTES, type Key } from "../../engine/base/bytes.ts";
import { Ticket } from "../../engine/base/ids.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import { LockInfo } from "../../engine/protocol/gen/kvrpcpb.ts";
import {
  add,
  due,
  noWaiters,
  remove,
  type WaitQueues,
  type Waiter,
  waiters,
  wake,
} from "../../engine/transaction/waiting.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: waiting");

const waiter = (startTs: number, key = "k", until = 1000): Waiter => ({
  ticket: Ticket(startTs),
  key: key as Key,
  startTs: Timestamp(BigInt(startTs)),
  lock: LockInfo.make({ lockVersion: 1n }),
  tag: EMPTY_BYTES,
  until,
  retryAt: Number.POSITIVE_INFINITY,
  released: undefined,
});
const queue = (...list: readonly Waiter[]): WaitQueues => list.reduce(add, noWaiters());
const tickets = (list: Iterable<Waiter>): number[] => [...list].map(({ ticket }) => ticket);
const RELEASED = { startTs: Timestamp(1n), commitTs: Timestamp(9n) };

test("the oldest transaction is woken at once, the others a little later, those of other keys not", () => {
  const queues = queue(waiter(7), waiter(5), waiter(6), waiter(4, "other"));
  const woken = wake(queues, "k" as Key, RELEASED, 100, 20);
  assert.equal(tickets(woken.waiters), [5]);
  assert.equal(woken.waiters[0]?.released, RELEASED);
  assert.equal(due(woken.queues, 119).waiters, []);
  const later = due(woken.queues, 120);
  assert.equal(tickets(later.waiters), [6, 7]);
  assert.equal(later.waiters[0]?.released, RELEASED);
  assert.equal(tickets(waiters(later.queues)), [4]);
});

test("one who waits too long is told, and those behind it go on waiting", () => {
  const queues = queue(waiter(5, "k", 50), waiter(6, "k", 60));
  const late = due(queues, 50);
  assert.equal(tickets(late.waiters), [5]);
  assert.is(late.waiters[0]?.released, undefined);
  assert.equal(tickets(waiters(late.queues)), [6]);
});

test("nobody is woken where nobody waits, and an emptied queue leaves nothing behind", () => {
  const none = wake(noWaiters(), "k" as Key, RELEASED, 0, 20);
  assert.equal(none.waiters, []);
  const { queues } = wake(queue(waiter(5)), "k" as Key, RELEASED, 0, 20);
  assert.is(queues.size, 0);
});

test("those whose region has gone are taken out", () => {
  const out = remove(queue(waiter(5), waiter(6), waiter(7, "l")), ({ key }) => key === "k");
  assert.equal(tickets(out.waiters), [5, 6]);
  assert.equal(tickets(waiters(out.queues)), [7]);
});

test.run();
