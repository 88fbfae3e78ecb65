import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { BUGS } from "./bugs.ts";
import { parse, USAGE } from "./options.ts";
import { markdownOf, rowOf } from "./report.ts";

const test = suite("planted bugs: command line");

test("without arguments all bugs are hunted five times", () => {
  const parsed = parse([]);
  assert.ok(parsed.type === "hunt");
  assert.equal(parsed.options.bugs, BUGS);
  assert.equal([parsed.options.starts, parsed.options.seeds, parsed.options.jobs], [5, 2000, 2]);
});

test("bugs are named, options have their values behind them or behind a =", () => {
  const parsed = parse(["T01", "--seeds", "30", "--json=out.json", "R01"]);
  assert.ok(parsed.type === "hunt");
  assert.equal(
    parsed.options.bugs.map(({ id }) => id),
    ["R01", "T01"],
  );
  assert.equal([parsed.options.seeds, parsed.options.json], [30, "out.json"]);
});

test("what is wrong with a command line is told in one line", () => {
  const problem = (...argv: string[]): string => {
    const parsed = parse(argv);
    return parsed.type === "wrong" ? parsed.problem : parsed.type;
  };
  assert.is(problem("--hunts", "3"), "unknown option --hunts");
  assert.is(problem("-x"), "unknown option -x");
  assert.is(problem("R99"), 'unknown bug "R99"');
  assert.is(problem("--seeds", "many"), "--seeds many is no whole number");
  assert.is(problem("--seeds"), "--seeds needs a value");
  assert.is(problem("--seeds", "0"), "--seeds 0 is no whole number");
  assert.is(problem("--strategy", "luck"), 'unknown strategy "luck"');
  assert.ok(problem("--strategy", "pct", "--table").startsWith("the track record is of random"));
  assert.is(problem("--schedules", "here"), "--schedules goes with --shrink");
  assert.is(problem("--compare"), "--compare goes with --cpu");
  assert.ok(problem("--compare", "--cpu", "9", "--table").startsWith("--compare hunts with every"));
});

test("the table is the page in the documentation", () => {
  const parsed = parse(["--table", "--shrink", "--schedules", "here"]);
  assert.ok(parsed.type === "hunt");
  const { markdown, shrink, schedules } = parsed.options;
  assert.equal([markdown, shrink, schedules], ["docs/planted.md", true, "here"]);
});

test("seeds are told by median, nine of ten and most", () => {
  const [bug] = BUGS;
  assert.ok(bug);
  const file = new Uint8Array();
  const catches = Array.from({ length: 10 }, (_, i) => ({
    caught: true,
    seeds: 10 * (i + 1),
    check: "answers",
    ...(i === 3 ? { shrunk: { decisions: 7, file } } : {}),
  }));
  const { median, ninetieth, most, decisions } = rowOf(bug, catches);
  assert.equal([median, ninetieth, most, decisions], [50, 90, 100, 7]);
});

test("help names every option and every bug", () => {
  assert.is(parse(["R01", "--help"]).type, "help");
  for (const { id } of BUGS) assert.ok(USAGE.includes(id), id);
  for (const option of [
    "starts",
    "seeds",
    "jobs",
    "strategy",
    "shrink",
    "schedules",
    "json",
    "markdown",
    "table",
    "help",
  ]) {
    assert.ok(USAGE.includes(`--${option}`), option);
  }
});

test("a page keeps the rows of bugs that were not hunted, in the order of the list", () => {
  const of = (id: string, seeds: number): ReturnType<typeof rowOf> => {
    const bug = BUGS.find((one) => one.id === id);
    assert.ok(bug !== undefined);
    return rowOf(bug, [{ caught: true, seeds, check: "answers" }]);
  };
  const before = markdownOf([of("R01", 3), of("S01", 4)], 9, "");
  const after = markdownOf([of("S01", 7), of("R06", 5)], 9, `${before}## Not planted\n\n* none\n`);
  assert.ok(after.endsWith("\n\n## Not planted\n\n* none\n"));
  const rows = after.split("\n").filter((line) => /^\| [RS]\d/u.test(line));
  assert.equal(
    rows.map((line) => [line.slice(2, 5), line.split("|").slice(-7, -1).join("|")]),
    [
      ["R01", " answers | 1 | 3 | 3 | 3 |  "],
      ["R06", " answers | 1 | 5 | 5 | 5 |  "],
      ["S01", " answers | 1 | 7 | 7 | 7 |  "],
    ],
  );
});

test.run();
