import fc from "fast-check";
import * as assert from "uvu/assert";
import type { Due } from "../../sim/event-queue.ts";
import { emptyQueue, nextTime, queueSize, schedule, takeNext } from "../../sim/event-queue.ts";
import { suite } from "../harness.ts";

const test = suite("sim/event-queue");

test("events come out by time, and in the order of scheduling within one time", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(20), { nil: undefined, freq: 3 })), (script) => {
      const queue = emptyQueue<string>();
      const due: Due<string> = { time: 0, sequence: 0, event: "" };
      let model: { time: number; sequence: number; event: string }[] = [];
      const take = (): void => {
        const [first] = model.sort((a, b) => a.time - b.time || a.sequence - b.sequence);
        if (first === undefined) return;
        assert.is(nextTime(queue), first.time);
        takeNext(queue, due);
        assert.equal(due, first);
        model = model.slice(1);
      };
      script.forEach((time, i) => {
        if (time === undefined) return take();
        model.push({ time, sequence: queue.nextSequence, event: `e${i}` });
        schedule(queue, time, `e${i}`);
      });
      while (model.length > 0) take();
      assert.is(queueSize(queue), 0);
      assert.is(nextTime(queue), Infinity);
    }),
    { numRuns: 500, includeErrorInReport: true },
  );
});

test.run();
