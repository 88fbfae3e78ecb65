/**
 * A campaign under way: lanes that run one seed after another, each until the time is up or the
 * seeds are. Every run is written down before it counts. Whoever interrupts loses only what is
 * under way, and the same command goes on.
 */
import type { Host } from "../cli/host.ts";
import { tellDifference } from "../cli/determinism.ts";
import type { Job, Summary } from "../cli/summary.ts";
import type { Workers } from "../cli/workers.ts";
import { searchedBy } from "../decisions/schedule.ts";
import { parseStrategy, RANDOM } from "../search/strategy.ts";
import { Book } from "./book.ts";
import type { CampaignCommand } from "./command.ts";
import { durationText, runsText } from "./duration.ts";
import type { CampaignFiles } from "./files.ts";
import { JOURNAL_VERSION, type Run } from "./journal.ts";
import { nameOf } from "./ledger.ts";
import { progressOf, type Progress } from "./progress.ts";
import { reportOf } from "./report.ts";
import { reportsIn, writeReport } from "./report-files.ts";
import { tellLedger, verdictOf } from "./tell.ts";
import type { Turn } from "./turns.ts";

/** Runs that are repeated in one fresh process, and wait for that until there are as many. */
const REPEATS = 8;
/** The report is written at most this often while the campaign goes on. */
const REPORT_MS = 30_000;
/** Of what is wrong, so much is written down. */
const TEXT_LENGTH = 4000;

/** Runs a campaign; gives the exit status: 0 where every run passed, 1, or 2 where it cannot be. */
export async function runCampaign(command: CampaignCommand, host: Host): Promise<number> {
  const { directory, plan } = command;
  const opened = host.campaigns.open(directory);
  if (!opened.ok) {
    host.writeError(`sim: ${opened.problem}\n`);
    return 2;
  }
  const { files } = opened;
  const build = host.campaigns.build();
  const begun = Book.open({ type: "campaign", version: JOURNAL_VERSION, build, plan }, files);
  if (!begun.ok) {
    host.writeError(`sim: ${directory}: ${begun.problem}\n`);
    files.close();
    return 2;
  }
  const status = await new Session(command, begun.book, files, host).run();
  files.close();
  return status;
}

/** Mutable. */
class Session {
  readonly #command: CampaignCommand;
  readonly #book: Book;
  readonly #files: CampaignFiles;
  readonly #host: Host;
  readonly #progress: Progress;
  readonly #pools: Set<Workers> = new Set();
  /** Names of runs that are being repeated. */
  readonly #repeating: Set<string> = new Set();
  readonly #spentBefore: number;
  readonly #startMs: number;
  #reportedMs: number;
  /** Nothing more is to be begun or written down. */
  #stopped = false;
  #problem: string | undefined;
  #stop: () => void = () => undefined;

  constructor(command: CampaignCommand, book: Book, files: CampaignFiles, host: Host) {
    this.#command = command;
    this.#book = book;
    this.#files = files;
    this.#host = host;
    this.#spentBefore = book.ledger.spentSeconds;
    this.#startMs = host.elapsedMs();
    this.#reportedMs = this.#startMs;
    this.#progress = progressOf(host, command, book.ledger);
  }

  async run(): Promise<number> {
    const { jobs, directory, seconds } = this.#command;
    const { ledger } = this.#book;
    if (ledger.runs > 0) {
      const had = `${runsText(ledger.runs)} in ${durationText(this.#spentBefore)}`;
      this.#host.write(`going on with ${directory}: ${had} so far\n`);
    }
    if (this.#spentBefore >= seconds) {
      this.#host.write(`it has had its ${durationText(seconds)}; a longer time goes on\n`);
    }
    let interrupted = false;
    const stopped = new Promise<void>((resolve) => {
      this.#stop = () => {
        this.#stopped = true;
        resolve();
      };
    });
    this.#host.campaigns.onInterrupt(() => {
      interrupted = true;
      this.#stop();
    });
    const workers = this.#startWorkers(jobs);
    const lanes = Array.from({ length: jobs }, () => this.#lane(workers));
    await Promise.race([Promise.all(lanes), stopped]);
    this.#stopped = true;
    for (const pool of this.#pools) pool.stop();
    this.#progress.end();
    if (interrupted) this.#host.write("\ninterrupted; the same command goes on from here\n");
    return this.#finish();
  }

  #finish(): number {
    const { directory } = this.#command;
    const problem = this.#problem ?? this.#report();
    this.#host.write(tellLedger(this.#book.ledger, this.#book.header.plan));
    if (problem !== undefined) {
      // No verdict: runs are missing that were to be written down.
      this.#host.writeError(`sim: cannot write in ${directory}: ${problem}\n`);
      return 2;
    }
    this.#host.write(reportsIn(directory));
    const { ledger } = this.#book;
    this.#host.write(`${verdictOf(ledger)} wall=${this.#seconds().toFixed(1)}s\n`);
    return ledger.failed === 0 ? 0 : 1;
  }

  async #lane(workers: Workers): Promise<void> {
    while (!this.#stopped) {
      if (this.#toRepeat().length >= REPEATS) await this.#repeat();
      const turn = this.#hasTime() ? this.#book.turns.next(this.#book.ledger) : undefined;
      if (turn !== undefined) await this.#runOne(turn, workers);
      else if (this.#toRepeat().length > 0) await this.#repeat();
      else return;
    }
  }

  async #runOne(turn: Turn, workers: Workers): Promise<void> {
    const summary = await run(workers, { ...this.#jobOf(turn), tally: true });
    if (this.#stopped) return;
    const { trace, virtualSeconds, events, operations, check, text } = summary;
    const wallSeconds = toMs(summary.wallSeconds);
    const failure = summary.passed ? undefined : { check, text: text.slice(0, TEXT_LENGTH) };
    const excused = summary.excused.length > 0;
    const figures = { trace, wallSeconds, virtualSeconds, events, operations, excused };
    const line = { ...turn, at: this.#seconds(), ...figures, failure };
    this.#written(this.#book.addRun(line, summary.tally ?? []));
    this.#book.turns.ended(turn);
    this.#progress.ran({ ...turn, failure });
  }

  #toRepeat(): Run[] {
    return [...this.#book.ledger.toRepeat.values()].filter(
      (one) => !this.#repeating.has(nameOf(one)),
    );
  }

  /** Does some runs twice more, the last ones first, in a process that has done nothing else. */
  async #repeat(): Promise<void> {
    const runs = this.#toRepeat().slice(0, REPEATS).toReversed();
    for (const one of runs) this.#repeating.add(nameOf(one));
    const workers = this.#startWorkers(1);
    for (const { scenario, seed, trace } of runs) {
      const job = this.#jobOf({ scenario, seed });
      const again = await run(workers, { ...job, twice: true });
      if (this.#stopped) return;
      const same = trace === again.trace && again.secondTrace === trace;
      // What has no trace has not run: that says nothing about the first time.
      const difference =
        same || again.trace === ""
          ? ""
          : await tellDifference(workers, job, [trace, again.trace, again.secondTrace]);
      if (this.#stopped) return;
      this.#written(this.#book.addAgain({ scenario, seed, at: this.#seconds(), difference }));
      if (difference !== "") this.#progress.differed(difference);
    }
    workers.end();
    this.#pools.delete(workers);
  }

  /** Looks at how writing went, and at whether it is time for a report. */
  #written(problem: string | undefined): void {
    const nowMs = this.#host.elapsedMs();
    const isDue = problem === undefined && nowMs - this.#reportedMs >= REPORT_MS;
    if (isDue) this.#reportedMs = nowMs;
    this.#problem ??= problem ?? (isDue ? this.#report() : undefined);
    if (this.#problem !== undefined) this.#stop();
  }

  #report(): string | undefined {
    const { header, ledger } = this.#book;
    const report = reportOf([header], ledger);
    return this.#files.sync() ?? writeReport(report, this.#files, this.#host.campaigns);
  }

  #jobOf({ scenario, seed }: Turn): Job {
    const { strategy, byReference } = this.#command.plan;
    const schedule = searchedBy(parseStrategy(strategy) ?? RANDOM);
    return { scenario, seed: String(seed), byReference, schedule };
  }

  #startWorkers(count: number): Workers {
    const workers = this.#host.startWorkers(count);
    this.#pools.add(workers);
    return workers;
  }

  /** Of all sessions together. */
  #seconds(): number {
    return toMs(this.#spentBefore + (this.#host.elapsedMs() - this.#startMs) / 1000);
  }

  #hasTime(): boolean {
    return this.#seconds() < this.#command.seconds;
  }
}

/** Seconds, to the millisecond. */
const toMs = (seconds: number): number => Math.round(seconds * 1000) / 1000;

const run = (workers: Workers, job: Job): Promise<Summary> =>
  new Promise((done) => workers.run(job, done));
