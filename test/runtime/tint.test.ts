import { stripVTControlCharacters } from "node:util";
import * as assert from "uvu/assert";
import { tinted } from "../../runtime/cli/tint.ts";
import { suite } from "../harness.ts";

const test = suite("runtime/tint");

const TEXT = `10.000s #15000 message from store 1 to store 2: vote_request term=4
store 1 up
           done  role           term  vote  leader
region 5   341   leader         8     8     8
region 12  6     pre_candidate  6     12    0
convergence is violated at 31.250000s of virtual time:
region 5 has no leader
excused: region 12: its entries 4 to 9 are lost
replay: npm run sim -- calm --seed 3
FAIL seed=3 trace=01 PASSED
`;

test("colours change nothing of what is said", () => {
  assert.is.not(tinted(TEXT), TEXT);
  assert.is(stripVTControlCharacters(tinted(TEXT)), TEXT);
});

test("verdicts, violations, leaders and times are seen, and words like them are not", () => {
  // Between two escapes there is a code's end, and what it colours.
  const told = tinted(TEXT)
    .split("\u001b[")
    .map((part) => /^(\d+)m([^]*)/.exec(part) ?? [])
    .filter(([, code, text]) => !["22", "39"].includes(code ?? "22") && text !== "");
  assert.equal(
    told.map(([, code, text]) => `${code} ${text}`),
    [
      "2 10.000s #15000",
      "32 leader",
      "33 pre_candidate",
      "31 convergence is violated at 31.250000s of virtual time:",
      "33 excused: region 12: its entries 4 to 9 are lost",
      "2 replay: ",
      "31 FAIL",
    ],
  );
});

test.run();
