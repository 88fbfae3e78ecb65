import * as assert from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import type { LogIndex, Term, Ticket } from "../../engine/base/ids.ts";
import { settle } from "../../engine/region/propose.ts";
import type { Pending } from "../../engine/region/replica.ts";
import type { Turn } from "../../engine/region/turn.ts";
import type { RegionEffect } from "../../engine/region/types.ts";
import { suite } from "../harness.ts";

const test = suite("region/settle");

const waiting = (ticket: number, index: number, term: number): Pending => ({
  index: index as LogIndex,
  term: term as Term,
  parts: [{ ticket: ticket as Ticket, method: "RawPut", commands: 1 }],
});

test("a leader elected again answers each of its proposals by index and term, in whatever order", () => {
  const effects: RegionEffect[] = [];
  const turn = { effects } as unknown as Turn;
  // Proposed at 135 in term 11; deposed; elected again with a shorter log; proposed at 131.
  const pending = [waiting(1, 135, 11), waiting(2, 131, 12)];
  const entry = { index: 131 as LogIndex, term: 12 as Term, type: "normal", data: EMPTY_BYTES };
  const outcome = { type: "raw", results: [{ succeeded: true, previous: undefined }] } as const;
  const left = settle(turn, pending, entry as never, outcome);
  assert.equal(
    left.map(({ index }) => index),
    [135],
  );
  const [effect] = effects;
  if (effect?.type !== "reply" || effect.reply.method !== "RawPut") throw new Error("no reply");
  assert.is(effect.ticket, 2);
  assert.is(effect.reply.response.regionError, undefined);
});

test.run();
