import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CAMPAIGNS } from "../../runtime/cli/campaign-files.ts";
import { suite } from "../harness.ts";

const test = suite("runtime/campaign-files");

async function inDirectory(body: (directory: string) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "campaign-"));
  try {
    body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
  return Promise.resolve();
}

const opened = (directory: string) => {
  const result = CAMPAIGNS.open(directory);
  assert.ok(result.ok, result.ok ? "" : result.problem);
  return result.files;
};

test("lines come back whole, however long, and one that was not finished is cut off", () =>
  inDirectory((directory) => {
    const lines = ["ä".repeat(70_000), "", "𝛼", "x".repeat(65_535), "last"];
    const path = join(directory, "runs.jsonl");
    writeFileSync(path, `${lines.join("\n")}\ntorn ä`);
    const files = opened(directory);
    assert.equal([...files.lines], lines);
    assert.is(files.append("more\n"), undefined);
    files.close();
    assert.is(readFileSync(path, "utf8"), `${lines.join("\n")}\nmore\n`);
  }));

test("two campaigns do not go in one directory at once", () =>
  inDirectory((directory) => {
    const files = opened(directory);
    const second = CAMPAIGNS.open(directory);
    assert.not(second.ok);
    if (!second.ok) assert.match(second.problem, `${directory} is in use by`);
    files.close();
    opened(directory).close();
  }));

test("a directory that holds anything else is refused and left as it is", () =>
  inDirectory((directory) => {
    writeFileSync(join(directory, "thesis.txt"), "mine");
    const result = CAMPAIGNS.open(directory);
    assert.not(result.ok);
    if (!result.ok) assert.match(result.problem, "is no campaign's directory: it holds thesis.txt");
  }));

test("a file in the way and a missing campaign are told, not thrown", () =>
  inDirectory((directory) => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    const result = CAMPAIGNS.open(file);
    assert.not(result.ok);
    assert.not(CAMPAIGNS.open("/proc/no/such").ok, "a file system that makes no directories");
    assert.not(CAMPAIGNS.read(join(directory, "nowhere")).ok);
    mkdirSync(join(directory, "own"));
    opened(join(directory, "own")).close();
    assert.not(CAMPAIGNS.openReports(join(directory, "own")).ok, "a campaign's own directory");
  }));

test("a build has one name", () => {
  assert.match(CAMPAIGNS.build(), /^[0-9a-f]{16}$/);
  assert.is(CAMPAIGNS.build(), CAMPAIGNS.build());
});

test.run();
