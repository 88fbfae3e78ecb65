/**
 * `rutile ctl`: looking into the files of a stopped node. Status 0 says that all is well, 1 that
 * something is damaged, 2 that the question could not be asked.
 */
import { existsSync, statSync } from "node:fs";
import type { Command } from "commander";
import { dump, stringify } from "../ctl/dump.ts";
import { OneFile } from "../ctl/one-file.ts";
import { plural, sizeText } from "../ctl/text.ts";
import { isOurs, verify } from "../ctl/verify.ts";
import type { Finding, Progress, Report } from "../ctl/verify.ts";
import { escaped, keyToBytes } from "../../engine/base/bytes.ts";
import { DirectoryReader } from "../files/reader.ts";
import { lockDirectory } from "../files/lock.ts";
import { as } from "./flags.ts";
import { refuseUsage } from "./serve.ts";

const DAMAGED_STATUS = 1;

export function addCtl(program: Command): void {
  const ctl = program.command("ctl").description("look into the files of a stopped node");
  ctl
    .command("verify")
    .description("check every checksum and every reference of a stopped store or member")
    .requiredOption("--data-dir <directory>", "where the data lie")
    .option("--json", "say it as one JSON object")
    .action((options: { readonly dataDir: string; readonly json?: true }) =>
      verifyDirectory(options.dataDir, options.json === true),
    );
  ctl
    .command("dump")
    .description("print a log segment, a manifest or a table")
    .argument("<file>", "which one")
    .option("--json", "a JSON object a line; keys and values in hexadecimal")
    .option("--keys-only", "without values and records")
    .option("--limit <count>", "entries, batches or edits at most", as("count"))
    .action((file: string, options: DumpFlags) => dumpFile(file, options));
}

interface DumpFlags {
  readonly json?: true;
  readonly keysOnly?: true;
  readonly limit?: number;
}

function verifyDirectory(directory: string, json: boolean): void {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    refuseUsage(`there is no directory ${directory}`);
  }
  const locked = takeLock(directory);
  const begun = performance.now();
  const reader = new DirectoryReader(directory);
  try {
    if (!reader.list().some(isOurs)) refuse(`${directory} holds no files of a store or member`);
    const steps = verify(reader);
    let step = steps.next();
    while (step.done !== true) {
      sayProgress(step.value);
      step = steps.next();
    }
    clearProgress();
    const seconds = (performance.now() - begun) / 1000;
    if (json) say(stringify({ directory, ...jsonOf(step.value), seconds }));
    else sayReport(step.value, seconds);
    if (step.value.findings.length > 0) process.exitCode = DAMAGED_STATUS;
  } finally {
    reader.close();
    locked.release();
  }

  function refuse(detail: string): never {
    locked.release();
    return refuseUsage(detail);
  }
}

function takeLock(directory: string): { release(): void } {
  try {
    const locked = lockDirectory(directory);
    return locked.ok ? locked.lock : refuseUsage(locked.detail);
  } catch (error) {
    return refuseUsage(`${directory} cannot be used: ${(error as Error).message}`);
  }
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Only where a person looks on; it does not become part of what a pipe gets. */
const showsProgress = process.stderr.isTTY;
function sayProgress({ file, done, total }: Progress): void {
  if (!showsProgress) return;
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
  process.stderr.write(`\r\x1b[K${percent} % of ${sizeText(total)}: ${file}`);
}

function clearProgress(): void {
  if (showsProgress) process.stderr.write("\r\x1b[K");
}

function sayReport(report: Report, seconds: number): void {
  const { identity, findings, quarantined, leftovers } = report;
  const whose =
    identity === undefined
      ? "a node whose name cannot be read"
      : `node ${identity.store} of cluster ${identity.cluster}`;
  say(
    `${whose}: ${plural(report.logs, "log segment")}, ${plural(report.tables, "table")}, ` +
      `${sizeText(report.bytes)} in ${seconds.toFixed(1)} s`,
  );
  for (const finding of findings) say(findingText(finding));
  if (quarantined.length > 0) {
    say(`quarantined, waiting for a snapshot: regions ${quarantined.join(" ")}`);
  }
  if (leftovers.length > 0) {
    say(`not named by anything, removed at the next start: ${leftovers.join(" ")}`);
  }
  say(findings.length === 0 ? "no damage" : plural(findings.length, "damaged place"));
}

function findingText({ file, offset, reason, detail, keys }: Finding): string {
  const place = `${file} at byte ${offset}: ${reason}: ${detail}`;
  if (keys === undefined) return place;
  const end = keys.end === "" ? "the end" : escaped(keys.end);
  return `${place} (unknown: ${keys.cf} from ${escaped(keys.start)} to ${end})`;
}

const jsonOf = (report: Report): object => ({
  ...report,
  findings: report.findings.map(({ keys, ...finding }) =>
    keys === undefined
      ? finding
      : {
          ...finding,
          keys: {
            cf: keys.cf,
            start: Buffer.from(keyToBytes(keys.start)).toString("hex"),
            end: Buffer.from(keyToBytes(keys.end)).toString("hex"),
          },
        },
  ),
});

function dumpFile(path: string, flags: DumpFlags): void {
  // Whoever reads may stop in the middle, as `head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  const file = openFile(path);
  const lines = dump(file, {
    json: flags.json === true,
    keysOnly: flags.keysOnly === true,
    limit: flags.limit ?? Number.POSITIVE_INFINITY,
  });
  if (lines === undefined) refuseUsage(`${path} is no file of ours`);
  for (const { text, isDamage } of lines) {
    say(text);
    if (isDamage) process.exitCode = DAMAGED_STATUS;
  }
  file.close();
}

function openFile(path: string): OneFile {
  try {
    return new OneFile(path);
  } catch (error) {
    return refuseUsage(`cannot read ${path}: ${(error as Error).message}`);
  }
}
