/** A journal and what it adds up to: read from the beginning, then written on. */
import type { CampaignFiles } from "./files.ts";
import {
  type Again,
  type Header,
  JOURNAL_VERSION,
  type Line,
  lineText,
  readLine,
} from "./journal.ts";
import type { Run } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { differenceOf } from "./plan.ts";
import type { Tally } from "./tally.ts";
import { Turns } from "./turns.ts";

/**
 * Reads a journal into the ledger that `begin` chooses by its header; a text is why it refuses.
 * Says what is wrong with the journal, if anything is.
 */
export function readJournal(
  lines: Iterable<string>,
  begin: (header: Header) => Ledger | string,
): string | undefined {
  let number = 0;
  let ledger: Ledger | undefined;
  for (const text of lines) {
    number += 1;
    const line = readLine(text);
    if (ledger === undefined) {
      if (line?.type !== "campaign") return "it holds no campaign's journal";
      if (line.version !== JOURNAL_VERSION) {
        return `its journal has version ${line.version}, and this code writes ${JOURNAL_VERSION}`;
      }
      const begun = begin(line);
      if (typeof begun === "string") return begun;
      ledger = begun;
    } else {
      const problem = line === undefined ? "it is damaged" : ledger.add(line);
      if (problem !== undefined) return `runs.jsonl, line ${number}: ${problem}`;
    }
  }
  return undefined;
}

/** Why runs of one build and plan may not be written behind those of another. */
export function mismatch(wanted: Header, found: Header): string | undefined {
  if (found.build !== wanted.build) {
    return (
      `its runs are of build ${found.build}, and this is build ${wanted.build}: ` +
      "what two builds do is not counted together; another --dir begins anew"
    );
  }
  const difference = differenceOf(found.plan, wanted.plan);
  return difference === undefined
    ? undefined
    : `it was begun with ${difference}; another --dir begins anew`;
}

export type BookOpened =
  { readonly ok: true; readonly book: Book } | { readonly ok: false; readonly problem: string };

/** Mutable: a ledger, and a journal that says the same. */
export class Book {
  readonly ledger: Ledger;
  readonly turns: Turns;
  readonly header: Header;
  readonly #files: CampaignFiles;

  private constructor(header: Header, files: CampaignFiles) {
    this.header = header;
    this.#files = files;
    this.turns = new Turns(header.plan);
    this.ledger = new Ledger(header.plan.scenarios, ({ scenario, wallSeconds }) =>
      this.turns.charge(scenario, wallSeconds, this.ledger),
    );
  }

  /** Goes on with what is there, or begins. */
  static open(header: Header, files: CampaignFiles): BookOpened {
    const book = new Book(header, files);
    let begun = false;
    const problem =
      readJournal(files.lines, (found) => {
        begun = true;
        return mismatch(header, found) ?? book.ledger;
      }) ?? (begun ? undefined : files.append(lineText(header)));
    return problem === undefined ? { ok: true, book } : { ok: false, problem };
  }

  /** Writes a run down and counts it. Says what is wrong where it cannot be written. */
  addRun(run: Omit<Run, "type" | "counts">, tally: Tally): string | undefined {
    const lines: Line[] = [];
    const counts = tally.flatMap(([name, times]) => {
      const { number, isNew } = this.ledger.numberOf(name);
      if (isNew) {
        const line = { type: "name", name } as const;
        lines.push(line);
        this.ledger.add(line);
      }
      return [number, times];
    });
    const { scenario, seed, ...rest } = run;
    return this.#write([...lines, { type: "run", scenario, seed, ...rest, counts }]);
  }

  addAgain(again: Omit<Again, "type">): string | undefined {
    return this.#write([{ type: "again", ...again }]);
  }

  #write(lines: readonly Line[]): string | undefined {
    const problem = this.#files.append(lines.map(lineText).join(""));
    if (problem !== undefined) return problem;
    return this.ledger.add(lines.at(-1) as Line);
  }
}
