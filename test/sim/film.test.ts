import fc from "fast-check";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../scenarios/index.ts";
import { DEFAULT_OPTIONS } from "../../sim/build.ts";
import { violated } from "../../sim/checkers/verdict.ts";
import { decodeFilm, encodeFilm } from "../../sim/film/codec.ts";
import { type Arrival, coneOf } from "../../sim/film/cone.ts";
import { develop, namedIn } from "../../sim/film/develop.ts";
import { CALL_ENDS, type Film, ROLES, STATUSES } from "../../sim/film/film.ts";
import { recorderOf } from "../../sim/film/recorder.ts";
import { addRow, named, tableOf } from "../../sim/film/table.ts";
import { runSeed, type RunResult } from "../../sim/run.ts";
import { suite } from "../harness.ts";

const test = suite("the film of a run");

const drain = (): Promise<void> => turnOfTheLoop();

async function filmed(
  name: string,
  seed: string,
  planted?: string,
): Promise<{ film: Film; result: RunResult }> {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const film = recorderOf();
  let developed: Film | undefined;
  const result = await runSeed({ ...scenario, safetyMs: 5000 }, seed, drain, {
    ...DEFAULT_OPTIONS,
    film,
    inspect: (world) => {
      if (planted !== undefined) violated(world, "convergence", planted);
      developed = develop(world, film, name);
    },
  });
  if (developed === undefined) throw new Error("the world was not shown");
  return { film: developed, result };
}

async function unfilmed(name: string, seed: string): Promise<RunResult> {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return runSeed({ ...scenario, safetyMs: 5000 }, seed, drain, DEFAULT_OPTIONS);
}

test("a run that is filmed is the same run", async () => {
  for (const name of ["partitions", "bank"]) {
    const { result } = await filmed(name, "5");
    const plain = await unfilmed(name, "5");
    assert.is(result.trace, plain.trace);
    assert.is(result.events, plain.events);
  }
});

test("a film holds messages that arrive, are lost, are late and come twice", async () => {
  let [arrived, lost, late, copies] = [0, 0, 0, 0];
  const isAll = (): boolean => arrived > 1000 && lost > 100 && late > 10 && copies > 10;
  // What a seed has is drawn; some soon have all of it.
  for (let seed = 3; seed < 40 && !isAll(); seed++) {
    const { film } = await filmed("partitions", String(seed));
    const { delayUs, copyOf, copyDelayUs, sentUs } = film.messages;
    arrived += delayUs.filter((delay) => delay > 0).length;
    lost += delayUs.filter((delay) => delay < 0).length;
    late += delayUs.filter((delay) => delay > 100_000).length;
    copies += copyOf.length;
    assert.ok(copyOf.every((row) => row >= 0 && row < sentUs.length));
    assert.ok(copyDelayUs.every((delay) => delay >= 0));
    assert.ok(sentUs.every((time, i) => i === 0 || time >= (sentUs[i - 1] ?? 0)));
  }
  assert.ok(isAll(), `${arrived} ${lost} ${late} ${copies}`);
});

test("a film holds leaders with terms, crashes, faults, clocks and how calls ended", async () => {
  const { film } = await filmed("crash-storm", "2");
  const leaders = film.states.role.filter((role) => ROLES[role] === "leader");
  assert.ok(leaders.length > 0);
  const statuses = new Set(film.statuses.status.map((status) => STATUSES[status]));
  assert.ok(statuses.has("up") && statuses.has("down"));
  assert.ok(film.faults.length > 0);
  assert.ok(film.faults.every(({ timeUs, endUs }) => endUs >= timeUs));
  assert.ok(film.faults.some(({ nodes }) => nodes.length > 0));
  const servers = film.nodes.filter(({ kind }) => kind !== "client").length;
  assert.is(new Set(film.clocks.node).size, servers);
  const ends = new Set(film.calls.end.map((end) => CALL_ENDS[end]));
  assert.ok(ends.has("answered") && ends.has("lost"), [...ends].join(" "));
  assert.is(film.words[0], "");
});

test("what a film says of a group is what the members say at the end", async () => {
  const { film } = await filmed("calm", "1");
  const terms = new Map<string, number>();
  film.states.timeUs.forEach((_, row) => {
    const key = `${film.states.node[row]}/${film.states.group[row]}`;
    const term = film.states.term[row] ?? 0;
    assert.ok(term >= (terms.get(key) ?? 0), "terms only grow");
    assert.ok((film.states.applied[row] ?? 0) <= (film.states.commit[row] ?? 0));
    terms.set(key, term);
  });
  assert.ok(terms.size > 3);
});

test("a film comes back from its bytes as it was; one of another version is refused", async () => {
  const { film } = await filmed("partitions", "1", "store 2 is wrong");
  const decoded = decodeFilm(encodeFilm(film));
  assert.ok(decoded.ok);
  if (decoded.ok) assert.equal(decoded.film, JSON.parse(JSON.stringify(film)));
  assert.equal(decodeFilm(encodeFilm({ ...film, version: 99 })), {
    ok: false,
    reason: "a film of version 99, not 1",
  });
  assert.is(decodeFilm(new Uint8Array([0xc1])).ok, false);
});

test("a violation that falls in nobody's event is shown at the nodes its text names", async () => {
  const { film } = await filmed("partitions", "1", "store 2 and pd 1 disagree");
  const names = film.violation?.nodes.map((node) => film.nodes[node]?.name);
  assert.equal(names, ["store 2", "pd 1"]);
  assert.is(film.violation?.cutUs[1], film.violation?.timeUs);
  assert.ok((film.violation?.frontier.length ?? 0) > 0);
});

test("a name is not found within a longer one", () => {
  assert.equal(namedIn("store 12 and pd 1", ["store 1", "store 12", "pd 1"]), [1, 2]);
});

test("a table keeps the newest rows, and their numbers", () => {
  const table = tableOf(1);
  for (let i = 0; i < 1000; i++) assert.is(addRow(table, 40, [i]), i);
  const { value } = named(table, ["value"]);
  assert.ok(value.length >= 40 && value.length <= 51);
  assert.is(value[0], table.dropped);
  assert.is(value.at(-1), 999);
});

/** Whether `from` at `fromUs` can have influenced `to` at `toUs`, message by message. */
function reaches(
  arrivals: readonly Arrival[],
  from: number,
  fromUs: number,
  to: number,
  toUs: number,
): boolean {
  const seen = new Set<Arrival>();
  const visit = (node: number, timeUs: number): boolean => {
    if (node === to && timeUs <= toUs) return true;
    return arrivals.some((one) => {
      if (one.from !== node || one.sentUs < timeUs || seen.has(one)) return false;
      seen.add(one);
      return visit(one.to, one.arrivedUs);
    });
  };
  return visit(from, fromUs);
}

const NODES = 4;
const anyArrivals = fc
  .array(fc.tuple(fc.nat(NODES - 1), fc.nat(NODES - 1), fc.nat(12), fc.nat(4)), { maxLength: 14 })
  .map((all) =>
    all.map(([from, to, sentUs, delay], row): Arrival => {
      return { row, from, to, sentUs, arrivedUs: sentUs + delay };
    }),
  );

test("the past of a moment is what reaches it, message by message", () => {
  fc.assert(
    fc.property(anyArrivals, fc.nat(NODES - 1), fc.nat(16), (arrivals, focus, atUs) => {
      const { cutUs, frontier } = coneOf(NODES, arrivals, [focus], atUs);
      for (let node = 0; node < NODES; node++) {
        for (let timeUs = 0; timeUs <= 17; timeUs++) {
          const inside = timeUs <= (cutUs[node] ?? -1);
          assert.is(inside, reaches(arrivals, node, timeUs, focus, atUs), `${node} at ${timeUs}`);
        }
      }
      for (const row of frontier) {
        const { from, to, sentUs, arrivedUs } = arrivals[row] as Arrival;
        assert.is(sentUs, cutUs[from]);
        assert.ok(arrivedUs <= (cutUs[to] ?? -1));
      }
    }),
    { includeErrorInReport: true, numRuns: 300 },
  );
});

test.run();
