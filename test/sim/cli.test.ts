import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../scenarios/index.ts";
import { type Host, type Job, lostJob, main, runJob, type Summary } from "../../sim/cli.ts";
import { formatTable } from "../../sim/cli/table.ts";
import { suite } from "../harness.ts";
import { NO_CAMPAIGNS } from "./campaign/machine.ts";

const test = suite("sim/cli");

interface Said {
  status: number | undefined;
  out: string;
  err: string;
  files: Map<string, string>;
}

/** A machine that answers jobs as `answer` says, and keeps what it was told. */
async function said(
  argv: readonly string[],
  answer: (job: Job) => Summary = (job) => lostJob(job, "not run"),
  isTerminal = false,
  given: Map<string, Uint8Array> = new Map(),
  typed: readonly string[] = [],
): Promise<Said> {
  const result: Said = { status: undefined, out: "", err: "", files: new Map() };
  const host: Host = {
    write: (text) => void (result.out += text),
    writeError: (text) => void (result.err += text),
    isTerminal,
    columns: 80,
    elapsedMs: () => 1000,
    drain,
    readLines: async (prompt, answer) => {
      for (const line of typed) {
        result.out += prompt();
        if (!(await answer(line))) return;
      }
    },
    startWorkers: (count) => ({
      count,
      run: (job, done) => done(answer(job)),
      end: () => undefined,
      stop: () => undefined,
    }),
    campaigns: NO_CAMPAIGNS,
    readFile: (path) => {
      const bytes = given.get(path);
      return bytes === undefined ? { ok: false, problem: "no such file" } : { ok: true, bytes };
    },
    writeFile: (path, content) => {
      if (path === "/forbidden") return "permission denied";
      result.files.set(path, typeof content === "string" ? content : `${content.length} bytes`);
      if (typeof content !== "string") given.set(path, content);
      return undefined;
    },
    writePicture: (path, title, film) => {
      if (path === "/forbidden") return { ok: false, problem: "permission denied" };
      result.files.set(path, `${title}: ${film.length > 0}`);
      return { ok: true, bytes: film.length };
    },
    writeWeb: (path) => {
      if (path === "/forbidden") return { ok: false, problem: "permission denied" };
      result.files.set(path, "the playground");
      return { ok: true, bytes: 1234 };
    },
    serveWeb: (port, onReady) => {
      if (port === 1) return Promise.resolve("permission denied");
      onReady(`http://127.0.0.1:${port}/`);
      return Promise.resolve(undefined);
    },
  };
  result.status = await main(argv, SCENARIOS, host);
  return result;
}

const good = (job: Job): Summary => ({
  ...lostJob(job, ""),
  passed: true,
  check: "",
  events: 1000,
  operations: 10,
  trace: "0123456789abcdef",
  wallSeconds: 0.5,
  ...(job.twice === true ? { secondTrace: "0123456789abcdef" } : {}),
});

test("every scenario is listed with its one line", async () => {
  const { status, out } = await said(["list"]);
  assert.is(status, 0);
  assert.is(out.trim().split("\n").length, SCENARIOS.length);
  for (const { name, summary } of SCENARIOS) assert.ok(out.includes(name) && out.includes(summary));
  assert.ok(SCENARIOS.length >= 8);
});

test("what is wrong with the command line is named in one line, and the status is 2", async () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["", "which scenario?"],
    ["nonsense --seed 1", 'unknown scenario "nonsense"'],
    ["calm --sed 1", "unknown flag --sed"],
    ["calm -x", "unknown flag -x"],
    ["calm --seed abc", 'malformed seed "abc"'],
    ["calm --seed -1", 'malformed seed "-1"'],
    ["calm --seed 1.5", 'malformed seed "1.5"'],
    ["calm --seed 99999999999999999", "malformed seed"],
    ["calm --seed", "flag --seed needs a value"],
    ["calm extra", 'unexpected argument "extra"'],
    ["calm --jobs 2", "flag --jobs goes with --seeds"],
    ["all --seeds 5..1", 'malformed seeds "5..1"'],
    ["all --seeds 1..2..3", 'malformed seeds "1..2..3"'],
    ["all --seeds x", 'malformed seeds "x"'],
    ["all --seeds 1..2 --jobs 0", 'malformed number of jobs "0"'],
    ["all --seed 3", "flag --seed goes with one scenario"],
  ];
  for (const [line, problem] of wrong) {
    const { status, out, err } = await said(line.split(" ").filter((word) => word !== ""));
    assert.is(status, 2, line);
    assert.is(out, "", line);
    assert.ok(err.includes(problem), `${line}: ${err}`);
    assert.is(err.trim().split("\n").length, 1, line);
  }
});

test("one seed tells what happened and ends with its verdict", async () => {
  const { status, out } = await said(["calm", "--seed=42"]);
  assert.is(status, 0);
  for (const part of ["leads region", "operations", "linearizability", "faults end"]) {
    assert.ok(out.includes(part), part);
  }
  const last = out.trim().split("\n").at(-1) ?? "";
  assert.match(
    last,
    /^PASS seed=42 trace=[0-9a-f]{16} events=\d+ virtual=\d+\.\d+s wall=\d+\.\d+s$/,
  );
});

test("a batch runs every scenario on every seed, and sums up", async () => {
  const seen = new Set<string>();
  const { status, out } = await said(["all", "--seeds", "1..3", "--json", "/out.json"], (job) => {
    seen.add(`${job.scenario} ${job.seed}`);
    return good(job);
  });
  assert.is(status, 0);
  assert.is(seen.size, 3 * SCENARIOS.length);
  assert.match(out, new RegExp(`^all +${3 * SCENARIOS.length} +0 `, "m"));
  assert.match(out, /^0 of \d+ marks reached; never: election won, /m);
  assert.match(out.trim().split("\n").at(-1) ?? "", /^PASS runs=\d+ failed=0 wall=/);
});

test("a failing run is told when it fails, with what to type, and the status is 1", async () => {
  const { status, out, files } = await said(
    ["calm", "--seeds", "1..3", "--json", "/out.json"],
    (job) => (job.seed === "2" ? lostJob(job, "key k is gone\nmore") : good(job)),
  );
  assert.is(status, 1);
  assert.ok(out.includes("FAIL calm seed=2: worker: key k is gone\n"));
  assert.ok(out.includes("npm run sim -- calm --seed 2\n"));
  const json = JSON.parse(files.get("/out.json") ?? "") as {
    failed: number;
    results: { seed: string; passed: boolean; replay: string }[];
  };
  assert.is(json.failed, 1);
  assert.equal(
    json.results.map(({ seed, passed }) => `${seed} ${passed}`),
    ["1 true", "2 false", "3 true"],
  );
  assert.is(json.results[1]?.replay, "npm run sim -- calm --seed 2");
});

test("a file that cannot be written is named, and the status is 1", async () => {
  const { status, err } = await said(["calm", "--seeds", "1..1", "--json", "/forbidden"], good);
  assert.is(status, 1);
  assert.is(err, "sim: cannot write /forbidden: permission denied\n");
});

test("a terminal gets a bar that is written over, anything else gets lines", async () => {
  assert.ok((await said(["calm", "--seeds", "1..5"], good, true)).out.includes("\r["));
  const plain = (await said(["calm", "--seeds", "1..5"], good)).out;
  assert.not(plain.includes("\r"));
  assert.ok(plain.includes("5 of 5 runs, 0 failed\n"));
});

test("a worker's summary says what the run says", async () => {
  const host = { elapsedMs: () => 5, drain } as Host;
  const job = { scenario: "calm", seed: "42", byReference: true };
  const summary = await runJob(job, SCENARIOS, host);
  assert.ok(summary.passed);
  assert.is(summary.check, "");
  assert.ok(summary.events > 10_000 && summary.operations > 1000 && summary.virtualSeconds > 20);
});

test("columns of numbers are aligned to the right", () => {
  const table = formatTable(
    ["name", "n"],
    [
      ["a", 1],
      ["long", 12_345],
    ],
  );
  assert.is(table, "name       n\na          1\nlong  12,345\n");
});

test("some runs are done again elsewhere, and one that differs fails the batch", async () => {
  const same = await said(["calm", "--seeds", "1..60"], good);
  assert.is(same.status, 0);
  assert.match(
    same.out,
    /runs were done twice more in other processes and another order: the same/,
  );
  const asked: Job[] = [];
  const fickle = (job: Job): Summary => {
    asked.push(job);
    const labels = ["0.001s tick of store 1", job.twice === true ? "B" : "A"];
    const recording = { hashes: [1, job.twice === true ? 3 : 2], labels };
    return { ...good(job), ...(job.recorded === true ? { recording } : {}), secondTrace: "x" };
  };
  const differs = await said(["calm", "--seeds", "1..3"], fickle);
  assert.is(differs.status, 1);
  assert.match(differs.out, /not deterministic: traces 0123456789abcdef, 0123456789abcdef, x/);
  assert.match(differs.out, /event 2 differs: "A" in one run, "B" in the other/);
  assert.match(differs.out, /^FAIL runs=3 failed=1/m);
  assert.ok(asked.some(({ twice }) => twice === true));
});

test("a run is gone through by lines, until one says so", async () => {
  const typed = ["step 3", "back", "nodes", "quit", "step 100"];
  const { status, out } = await said(
    ["debug", "calm", "--seed", "2"],
    undefined,
    false,
    undefined,
    typed,
  );
  assert.is(status, 0);
  assert.match(out, /^0\.000s #0> .* #3 .*\n.* #3> .* #2 /s);
  assert.match(out, /store 1 +(up|down)/);
  assert.not.match(out, "#102");
  for (const [line, problem] of [
    ["debug", /debug: which scenario\?/],
    ["debug nonsense", /unknown scenario "nonsense"/],
    ["debug calm --json x", /flag --json does not go with debug/],
    ["debug calm --seed x", /malformed seed "x"/],
    ["debug calm --strategy x", /malformed strategy "x"/],
  ] as const) {
    const wrong = await said(line.split(" "));
    assert.is(wrong.status, 2);
    assert.match(wrong.err, problem);
  }
});

test("a run's schedule is saved, shown in words and played again with the same story", async () => {
  const files = new Map<string, Uint8Array>();
  const saved = await said(
    ["partitions", "--seed", "3", "--save", "a.schedule"],
    undefined,
    false,
    files,
  );
  assert.is(saved.status, 0);
  assert.match(saved.out, "schedule: a.schedule");
  const shown = await said(["show", "a.schedule"], undefined, false, files);
  assert.is(shown.status, 0);
  assert.match(shown.out, /^partitions, seed 3\n\n[0-9]+ decisions:/);
  assert.match(shown.out, /client1 does its operation 0/);
  assert.match(shown.out, /drawn by the seed: net/);
  const again = await said(["replay", "a.schedule"], undefined, false, files);
  assert.is(again.status, 0);
  const storyOf = (out: string): string => out.slice(0, out.indexOf("\noperations"));
  const withoutFaults = (out: string): string => storyOf(out).replace(/faults of this seed.*/, "");
  assert.is(withoutFaults(again.out), withoutFaults(saved.out));
});

test("what is wrong with a schedule is told with its file, and the status is 2", async () => {
  const files = new Map([["bad", Uint8Array.of(1, 2, 3)]]);
  const cases: readonly (readonly [string, RegExp])[] = [
    ["show missing", /^sim: missing: no such file\n$/],
    ["show bad", /^sim: bad: no schedule/],
    ["replay bad", /^sim: bad: no schedule/],
    ["shrink bad", /^sim: bad: no schedule/],
    ["show", /^sim: show: which file\?\n$/],
    ["show a b", /unexpected argument "b"/],
    ["show a --jobs 2", /flag --jobs does not go with show/],
    ["replay a --seed 2", /flag --seed does not go with replay/],
    ["shrink nonsense --seed 2", /unknown scenario "nonsense"/],
    ["shrink calm --runs 0", /malformed number of runs "0"/],
    ["shrink calm --jobs x", /malformed number of jobs "x"/],
    ["shrink calm --seed 1", /calm, seed 1, does not fail/],
    ["calm --runs 5", /flag --runs goes with shrink/],
  ];
  for (const [line, problem] of cases) {
    const { status, err } = await said(line.split(" "), undefined, false, files);
    assert.is(status, 2, line);
    assert.match(err, problem);
  }
});

test("the playground is served until it is stopped, or written", async () => {
  const served = await said(["web", "--port", "0"]);
  assert.is(served.status, 0);
  assert.match(served.out, "playground: http://127.0.0.1:0/");
  assert.match((await said(["web"])).out, ":8765/");
  const written = await said(["web", "--out", "x.html"]);
  assert.is(written.status, 0);
  assert.ok(written.files.has("x.html"));
  const wrong: readonly (readonly [string, number, string])[] = [
    ["web --port 1", 1, "cannot serve the playground: permission denied"],
    ["web --out /forbidden", 1, "cannot write /forbidden: permission denied"],
    ["web --port 70000", 2, 'malformed port "70000"'],
    ["web --port 1 --out x", 2, "do not go together"],
    ["web --seed 3", 2, "flag --seed does not go with web"],
    ["web calm", 2, 'unexpected argument "calm"'],
    ["calm --port 3", 2, "flag --port goes with web"],
  ];
  for (const [line, status, problem] of wrong) {
    const { err, status: got } = await said(line.split(" "));
    assert.is(got, status, line);
    assert.ok(err.includes(problem), err);
  }
});

test.run();
