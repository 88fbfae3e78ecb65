import * as assert from "uvu/assert";
import { Clock } from "../../../engine/storage/table/clock.ts";
import type { Resident } from "../../../engine/storage/table/clock.ts";
import { suite } from "../../harness.ts";

const test = suite("clock of the cache");

class Named implements Resident {
  readonly name: number;
  readonly weight = 1;
  used = false;
  place = -1;

  constructor(name: number) {
    this.name = name;
  }
}

/** Adds `resident` to a clock that has room for `room`, and tells who went for it. */
function enter(clock: Clock<Named>, resident: Named, room: number): number[] {
  const gone: number[] = [];
  clock.add(resident);
  while (clock.weight > room) {
    const victim = clock.victim();
    clock.remove(victim);
    gone.push(victim.name);
  }
  return gone;
}

test("what nobody uses again goes in the order in which it came", () => {
  const clock = new Clock<Named>();
  const gone: number[] = [];
  for (let name = 0; name < 40; name++) gone.push(...enter(clock, new Named(name), 5));
  assert.equal(
    gone,
    Array.from({ length: 35 }, (_, i) => i),
  );
});

test("what is used in every round stays, however much passes through", () => {
  const clock = new Clock<Named>();
  for (let name = 0; name < 5; name++) enter(clock, new Named(name), 5);
  // It enters a full clock, as a table does that a compaction has made.
  const busy = new Named(1000);
  enter(clock, busy, 5);
  for (let name = 5; name < 100; name++) {
    busy.used = true;
    enter(clock, new Named(name), 5);
    assert.is.not(busy.place, -1, `gone when ${name} came`);
  }
});

test.run();
