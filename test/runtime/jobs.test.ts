import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { Ticket } from "../../engine/base/ids.ts";
import type { CompactionJob, FlushJob, Job } from "../../engine/storage/lsm/types.ts";
import * as tree from "../../engine/base/tree.ts";
import { openDisk } from "../../runtime/files/disk.ts";
import { JobRunner } from "../../runtime/jobs/jobs.ts";
import { Pace } from "../../runtime/jobs/pace.ts";
import type { JobEnded } from "../../runtime/jobs/code.ts";
import { suite } from "../harness.ts";
import { DIES, FINDS_DAMAGE, IS_REFUSED, THROWS, countingCode } from "./job-code.ts";

const test = suite("runtime/jobs");

interface Setting {
  readonly directory: string;
  readonly runner: JobRunner;
  /** Runs a job to its end. */
  readonly run: (job: Job) => Promise<JobEnded>;
  readonly errors: unknown[];
}

async function withRunner(body: (setting: Setting) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rutile-jobs-"));
  const opened = openDisk(directory);
  if (!opened.ok) throw new Error(opened.detail);
  const waiting = new Map<Ticket, (outcome: JobEnded) => void>();
  const errors: unknown[] = [];
  const runner = new JobRunner({
    disk: opened.disk,
    code: countingCode,
    worker: new URL("./job-worker.js", import.meta.url),
    ended: (outcome) => waiting.get(outcome.ticket)?.(outcome),
    failed: (error) => errors.push(error),
  });
  let tickets = 0;
  const run = (job: Job): Promise<JobEnded> =>
    new Promise((resolve) => {
      tickets += 1;
      waiting.set(Ticket(tickets), resolve);
      runner.run(Ticket(tickets), job);
    });
  try {
    await body({ directory, runner, run, errors });
  } finally {
    await runner.close();
    await opened.disk.close();
    rmSync(directory, { recursive: true });
  }
}

const common = (number: number, slices: number, sliceBytes: number, bytesPerSecond = 0) => ({
  firstNumber: number,
  numbers: 10,
  options: { blockBytes: 4096, restartInterval: 16, compression: "none", filterBits: 10 } as const,
  tableBytes: slices,
  sliceBytes,
  bytesPerSecond,
});

function compaction(...numbers: Parameters<typeof common>): CompactionJob {
  return {
    ...common(...numbers),
    type: "compaction",
    cf: "default",
    runs: [],
    fromLevel: 0,
    toLevel: 1,
    bottom: true,
    cuts: [],
    covered: [],
    filter: { type: "none" },
  };
}

function flush(...numbers: Parameters<typeof common>): FlushJob {
  const entries = { default: tree.empty(), lock: tree.empty(), write: tree.empty() } as const;
  const memtable = { entries, clears: entries, bytes: 0 } as unknown as FlushJob["memtable"];
  return { ...common(...numbers), type: "flush", memtable };
}

for (const make of [flush, compaction]) {
  const { type } = make(1, 1, 1);

  test(`a ${type} performs its slices in order and gives its result, and is counted`, () =>
    withRunner(async ({ directory, runner, run }) => {
      writeFileSync(join(directory, "input"), "hello");
      const outcome = await run(make(7, 20, 100_000));
      const result = { tables: [], readBytes: 5, writtenBytes: 2_000_000 };
      assert.equal(outcome, { type: "job_done", ticket: Ticket(1), result });
      assert.is(statSync(join(directory, "made-7")).size, 2_000_000);
      const { milliseconds, ...count } = runner.counts[type];
      const [readBytes, writtenBytes] = [5, 2_000_000];
      assert.equal(count, { done: 1, failed: 0, running: 0, readBytes, writtenBytes });
      assert.ok(milliseconds > 0);
    }));

  test(`a ${type} whose slice the disk refuses has failed, and the next one runs`, () =>
    withRunner(async ({ run }) => {
      const outcome = await run(make(IS_REFUSED, 5, 10));
      assert.ok(outcome.type === "job_failed");
      assert.ok(outcome.type === "job_failed" && outcome.failure.reason === "missing");
      assert.ok(outcome.type === "job_failed" && outcome.failure.file === "none");
      assert.is((await run(make(8, 5, 10))).type, "job_done");
    }));

  test(`damage that a ${type} meets is its failure, as its code says it`, () =>
    withRunner(async ({ run }) => {
      const outcome = await run(make(FINDS_DAMAGE, 5, 10));
      const file = `made-${FINDS_DAMAGE}`;
      const failure = {
        reason: "corrupt",
        file,
        offset: 7,
        detail: "a block is damaged",
        damage: undefined,
      };
      assert.equal(outcome, { type: "job_failed", ticket: Ticket(1), failure });
    }));

  test(`a ${type} keeps to its bytes a second`, () =>
    withRunner(async ({ run }) => {
      const begun = performance.now();
      await run(make(9, 10, 50_000, 2_000_000));
      const took = performance.now() - begun;
      assert.ok(took > 120 && took < 1500, `${took}`);
    }));
}

test("a worker that throws or exits fails the jobs it had, and the next job gets another worker", () =>
  withRunner(async ({ runner, run }) => {
    for (const number of [THROWS, DIES]) {
      const [bad, beside] = await Promise.all([
        run(compaction(number, 5, 10)),
        run(compaction(50, 1_000_000, 10)),
      ]);
      for (const outcome of [bad, beside]) {
        assert.ok(outcome.type === "job_failed" && outcome.failure.reason === "io_error");
        assert.ok(outcome.type === "job_failed" && outcome.failure.detail.includes("the worker"));
      }
      if (number === THROWS && bad.type === "job_failed") {
        assert.match(bad.failure.detail, "a rule is broken");
      }
      assert.is((await run(compaction(51, 5, 10))).type, "job_done");
    }
    assert.is(runner.counts.compaction.failed, 4);
    assert.is(runner.counts.compaction.running, 0);
  }));

test("a flush that throws is the program's fault and told as such", () =>
  withRunner(async ({ runner, errors }) => {
    runner.run(Ticket(1), flush(THROWS, 5, 10));
    while (errors.length === 0) await sleep(5);
    assert.match(String(errors[0]), "a rule is broken");
  }));

test("closing cuts off what is under way, with no outcome and nothing written afterwards", () =>
  withRunner(async ({ directory, runner }) => {
    runner.run(Ticket(1), compaction(1, 1_000_000, 1000));
    runner.run(Ticket(2), flush(2, 1_000_000, 1000));
    while (readdirSync(directory).filter((file) => file.startsWith("made-")).length < 2) {
      await sleep(5);
    }
    await runner.close();
    // A slice of the flush may still be on its way to the disk.
    await sleep(20);
    const sizes = (): number[] => [1, 2].map((n) => statSync(join(directory, `made-${n}`)).size);
    const before = sizes();
    await sleep(50);
    assert.equal(sizes(), before);
  }));

test("the event loop turns while a compaction works, and between the slices of a flush", () =>
  withRunner(async ({ run }) => {
    let turns = 0;
    let longest = 0;
    let last = performance.now();
    const turn = (): void => {
      turns += 1;
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    await Promise.all([run(compaction(1, 200, 100_000)), run(flush(2, 200, 1000))]);
    clearImmediate(timer);
    assert.ok(turns > 200, `${turns} turns`);
    assert.ok(longest < 200, `${longest} ms`);
  }));

test("a pace lets a job catch up on a tenth of a second at most", () => {
  const pace = new Pace(1000, 0);
  assert.is(pace.delay(50, 0), 50);
  assert.is(pace.delay(50, 50), 50);
  // Held up for ten seconds: the next hundred bytes are what it may catch up on.
  assert.is(pace.delay(100, 10_000), 0);
  assert.is(pace.delay(100, 10_000), 100);
  assert.is(new Pace(0, 0).delay(1e9, 0), 0);
});

test.run();
