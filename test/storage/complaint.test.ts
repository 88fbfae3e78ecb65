import * as assert from "uvu/assert";
import type { LogEffect } from "../../engine/base/log.ts";
import { complain } from "../../engine/storage/complaint.ts";
import { suite } from "../harness.ts";

const test = suite("complaints of the disk");

test("a disk that refuses everything is complained of at once, and then every ten seconds", () => {
  const effects: LogEffect[] = [];
  const refusal = { type: "stalled", reason: "no_space", file: "log-1" } as const;
  let saidAt = Number.NEGATIVE_INFINITY;
  const heard: number[] = [];
  for (let ms = 0; ms <= 25_000; ms += 50) {
    const now = { monotonicMs: ms, wallMs: 0 };
    const before = effects.length;
    saidAt = complain({ now, effects }, saidAt, refusal);
    if (effects.length > before) heard.push(ms);
  }
  assert.equal(heard, [0, 10_000, 20_000]);
  assert.equal(effects[0]?.fields, { reason: "no_space", file: "log-1" });
});

test.run();
