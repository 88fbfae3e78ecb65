/**
 * Several campaigns of one build as one report. None of them is changed, and any may be under way.
 */
import type { Host } from "../cli/host.ts";
import { readJournal } from "./book.ts";
import type { MergeCommand } from "./command.ts";
import type { Header } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { differenceOf } from "./plan.ts";
import { reportOf } from "./report.ts";
import { reportsIn, writeReport } from "./report-files.ts";
import { tellLedger, verdictOf } from "./tell.ts";

/** Gives the exit status, as a campaign does. */
export function runMerge({ directories, out }: MergeCommand, host: Host): number {
  const refuse = (problem: string): number => {
    host.writeError(`sim: ${problem}\n`);
    return 2;
  };
  const headers: Header[] = [];
  let ledger: Ledger | undefined;
  for (const [at, directory] of directories.entries()) {
    const read = host.campaigns.read(directory);
    if (!read.ok) return refuse(read.problem);
    const problem = readJournal(read.lines, (header) => {
      const different = strangeness(headers[0] ?? header, header);
      if (different !== undefined) return different;
      headers.push(header);
      ledger ??= new Ledger(header.plan.scenarios);
      ledger.beginJournal();
      return ledger;
    });
    if (problem !== undefined) return refuse(`${directory}: ${problem}`);
    if (headers.length === at) return refuse(`${directory}: no campaign has begun there`);
  }
  const [first, ...others] = headers;
  if (first === undefined || ledger === undefined) return refuse("nothing to merge");
  const opened = host.campaigns.openReports(out);
  if (!opened.ok) return refuse(opened.problem);
  const report = reportOf([first, ...others], ledger);
  const problem = writeReport(report, opened.files, host.campaigns);
  opened.files.close();
  if (problem !== undefined) return refuse(`cannot write in ${out}: ${problem}`);
  host.write(tellLedger(ledger, first.plan));
  host.write(reportsIn(out));
  host.write(`${verdictOf(ledger)} campaigns=${headers.length}\n`);
  return ledger.failed === 0 ? 0 : 1;
}

/** Why a campaign cannot be counted with the first one. */
function strangeness(first: Header, header: Header): string | undefined {
  if (header.build !== first.build) {
    return (
      `its runs are of build ${header.build}, those before it of build ${first.build}: ` +
      "what two builds do is not counted together"
    );
  }
  const { first: from, last, shard } = first.plan;
  const alike = differenceOf({ ...header.plan, first: from, last, shard }, first.plan);
  return alike === undefined ? undefined : `it has ${alike}, as those before it have`;
}
