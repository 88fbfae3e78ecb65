/**
 * What the two lanes of every disk must do: each in order, side by side, and neither hurt by the
 * other's failures.
 */
import * as assert from "uvu/assert";
import { Ticket } from "../../engine/base/ids.ts";
import type { DiskInput, DiskOperation, Lane } from "../../engine/storage/disk.ts";
import type { Suite } from "../harness.ts";
import type { Subject } from "./conformance.ts";

const append = (file: string, ...values: number[]): DiskOperation => ({
  type: "append",
  file,
  bytes: Uint8Array.from(values),
});
const create = (file: string): DiskOperation => ({ type: "create", file });
const sync = (file: string): DiskOperation => ({ type: "sync", file });

/** Adds the rules to `test`. `make` makes a subject. */
export function conformsInLanes(test: Suite, name: string, make: () => Promise<Subject>): void {
  const rule = (title: string, body: (lanes: Lanes) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const subject = await make();
      try {
        await body(new Lanes(subject));
      } finally {
        await subject.end();
      }
    });
  };

  rule("a short effect of the log does not wait behind a long one of the tables", async (lanes) => {
    const done: Lane[] = [];
    const long: DiskOperation[] = [create("table-1")];
    for (let i = 0; i < 30; i++) {
      const bytes = new Uint8Array(100_000).fill(i);
      long.push({ type: "append", file: "table-1", bytes }, sync("table-1"));
    }
    await Promise.all([
      lanes.perform("table", ...long).then(() => done.push("table")),
      lanes.perform("log", create("log-1"), append("log-1", 1)).then(() => done.push("log")),
    ]);
    assert.equal(done, ["log", "table"]);
    assert.is(lanes.subject.reader.size("table-1"), 3_000_000);
  });

  rule("each lane keeps its order while the other one works", async (lanes) => {
    await lanes.perform("log", create("log-1"), create("table-1"));
    const inputs: Promise<DiskInput>[] = [];
    for (let i = 0; i < 20; i++) {
      inputs.push(lanes.perform("log", append("log-1", i), sync("log-1")));
      inputs.push(lanes.perform("table", append("table-1", 100 + i), sync("table-1")));
    }
    const done = await Promise.all(inputs);
    assert.ok(done.every(({ type }) => type === "written"));
    assert.equal(
      lanes.contents("log-1"),
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.equal(
      lanes.contents("table-1"),
      Array.from({ length: 20 }, (_, i) => 100 + i),
    );
  });

  rule("a failure in one lane is its effect's alone, and both lanes go on", async (lanes) => {
    const [first, failed, log, second] = await Promise.all([
      lanes.perform("table", create("table-1"), append("table-1", 1)),
      lanes.perform("table", append("table-2", 1)),
      lanes.perform("log", create("log-1"), append("log-1", 1)),
      lanes.perform("table", append("table-1", 2)),
    ]);
    assert.equal(
      [first, log, second].map(({ type }) => type),
      ["written", "written", "written"],
    );
    assert.ok(failed.type === "write_failed" && failed.reason === "missing");
    assert.ok(failed.type === "write_failed" && failed.file === "table-2");
    assert.equal(lanes.contents("table-1"), [1, 2]);
  });
}

/** A subject whose effects come with tickets of one counter. */
class Lanes {
  readonly subject: Subject;
  #ticket = 0;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  async perform(lane: Lane, ...operations: DiskOperation[]): Promise<DiskInput> {
    this.#ticket += 1;
    const ticket = Ticket(this.#ticket);
    const input = await this.subject.perform({ type: "write", lane, ticket, operations });
    assert.is(input.ticket, ticket);
    return input;
  }

  contents(file: string): number[] {
    const read = this.subject.reader.read(file, 0, this.subject.reader.size(file) ?? 0);
    assert.ok(read.ok);
    return read.ok ? [...read.bytes] : [];
  }
}
