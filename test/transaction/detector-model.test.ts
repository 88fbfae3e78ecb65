/**
 * The detector between stores whose messages are lost, late and repeated, against what really
 * waits.
 */
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { EMPTY_BYTES, type Key } from "../../engine/base/bytes.ts";
import type { StoreId, Ticket } from "../../engine/base/ids.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import type { Wait } from "../../engine/transaction/deadlock.ts";
import {
  confirm,
  type Detector,
  fade,
  forget,
  forgetAll,
  hear,
  noDetector,
} from "../../engine/transaction/detector.ts";
import { suite } from "../harness.ts";

const test = suite("transaction: detector between stores");

const TTL = 50;

type Message =
  | { readonly type: "waits"; readonly begun: readonly Wait[]; readonly ended: readonly Wait[] }
  | {
      readonly type: "ask";
      readonly store: number;
      readonly round: number;
      readonly numbers: readonly number[];
    }
  | {
      readonly type: "answer";
      readonly store: number;
      readonly round: number;
      readonly numbers: readonly number[];
    }
  | { readonly type: "deadlock"; readonly wait: Wait };

class World {
  detector: Detector = noDetector();
  now = 0;
  /** By number. */
  readonly waits: Map<number, Wait> = new Map();
  readonly wires: Message[] = [];
  /** Numbers of waits that have stood in a circle at some moment. */
  readonly doomed: Set<number> = new Set();
  readonly refused: number[] = [];
  #numbers = 0;

  begin(waiter: number, holder: number, store: number): void {
    this.#numbers += 1;
    const wait: Wait = {
      waiter: Timestamp(BigInt(waiter)),
      holder: Timestamp(BigInt(holder)),
      key: "k" as Key,
      tag: EMPTY_BYTES,
      store: store as StoreId,
      number: this.#numbers as Ticket,
    };
    this.waits.set(wait.number, wait);
    this.wires.push({ type: "waits", begun: [wait], ended: [] });
    for (const one of this.waits.values()) if (this.#isInCircle(one)) this.doomed.add(one.number);
  }

  end(wait: Wait): void {
    this.waits.delete(wait.number);
    this.wires.push({ type: "waits", begun: [], ended: [wait] });
  }

  retell(): void {
    this.wires.push({ type: "waits", begun: [...this.waits.values()], ended: [] });
  }

  deliver(message: Message): void {
    switch (message.type) {
      case "waits":
        this.detector = forget(this.detector, message.ended);
        this.#take(hear(this.detector, message.begun, this.now, TTL));
        return;
      case "ask": {
        const numbers = message.numbers.filter((number) => this.waits.has(number));
        this.wires.push({ ...message, type: "answer", numbers });
        return;
      }
      case "answer": {
        const { store, round } = message;
        const numbers = message.numbers as unknown as readonly Ticket[];
        this.#take(confirm(this.detector, store as StoreId, round, numbers, this.now, TTL));
        return;
      }
      case "deadlock": {
        const { number } = message.wait;
        if (!this.waits.has(number)) return;
        assert.ok(this.doomed.has(number), `wait ${number} was never in a circle`);
        this.refused.push(number);
        this.end(message.wait);
        return;
      }
    }
  }

  hasCircle(): boolean {
    return [...this.waits.values()].some((wait) => this.#isInCircle(wait));
  }

  #take({ detector, findings }: ReturnType<typeof hear>): void {
    this.detector = detector;
    for (const finding of findings) this.wires.push(finding);
  }

  #isInCircle({ waiter, holder }: Wait): boolean {
    const seen = new Set<bigint>();
    const queue: bigint[] = [holder];
    for (const at of queue) {
      if (at === waiter) return true;
      for (const wait of this.waits.values()) {
        if (wait.waiter !== at || seen.has(wait.holder)) continue;
        seen.add(wait.holder);
        queue.push(wait.holder);
      }
    }
    return false;
  }
}

const txn = fc.integer({ min: 1, max: 4 });
const place = fc.nat(1000);
const action = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant("begin" as const), txn, txn, place) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("end" as const), place, place, place) },
  { weight: 10, arbitrary: fc.tuple(fc.constant("deliver" as const), place, place, place) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("repeat" as const), place, place, place) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("lose" as const), place, place, place) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("retell" as const), place, place, place) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("pass" as const), place, place, place) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("move" as const), place, place, place) },
);

function act(world: World, [kind, a, b, c]: readonly [string, number, number, number]): void {
  const at = world.wires.length === 0 ? -1 : a % world.wires.length;
  const message = world.wires[at];
  const lasting = [...world.waits.values()];
  switch (kind) {
    case "begin":
      if (a !== b) world.begin(a, b, c % 3);
      break;
    case "end":
      if (lasting.length > 0) world.end(lasting[a % lasting.length] as Wait);
      break;
    case "lose":
    case "deliver":
      if (message === undefined) break;
      world.wires.splice(at, 1);
      if (kind === "deliver") world.deliver(message);
      break;
    case "repeat":
      if (message !== undefined) world.deliver(message);
      break;
    case "retell":
      world.retell();
      break;
    case "pass":
      world.now += a % TTL;
      world.detector = fade(world.detector, world.now);
      break;
    case "move":
      world.detector = forgetAll(world.detector);
      break;
  }
}

test("whoever is refused stood in a circle, whatever becomes of messages", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80, size: "max" }), (actions) => {
      const world = new World();
      for (const one of actions) act(world, one);
    }),
    { includeErrorInReport: true, numRuns: 1000 },
  );
});

test("once messages arrive and waits are told again, no circle stays", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: "max" }), (actions) => {
      const world = new World();
      for (const one of actions) act(world, one);
      for (let round = 0; round < 20 && world.hasCircle(); round++) {
        world.now += TTL / 4;
        world.detector = fade(world.detector, world.now);
        world.retell();
        while (world.wires.length > 0) world.deliver(world.wires.shift() as Message);
      }
      assert.not.ok(world.hasCircle());
    }),
    { includeErrorInReport: true, numRuns: 500 },
  );
});

test.run();
