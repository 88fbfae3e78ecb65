/** Counts what passed, and ends with the line that test runners end with. */

export interface Tally {
  passed(title: string): void;
  failed(title: string, why: unknown): void;
  skipped(title: string, why: string): void;
  /** Runs a check: it passed unless it throws. Answers whether it did. */
  check(title: string, body: () => Promise<void>): Promise<boolean>;
  /** Prints the counts; the process will exit with 1 if anything failed. */
  end(): void;
}

export function createTally(): Tally {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failed = (title: string, why: unknown): void => {
    counts.failed += 1;
    console.log(`not ok ${title}\n${explain(why)}`);
  };
  const passed = (title: string): void => {
    counts.passed += 1;
    console.log(`ok ${title}`);
  };
  return {
    passed,
    failed,
    skipped: (title, why) => {
      counts.skipped += 1;
      console.log(`skipped ${title}: ${why}`);
    },
    check: async (title, body) => {
      try {
        await body();
        passed(title);
        return true;
      } catch (error) {
        failed(title, error);
        return false;
      }
    },
    end: () => {
      if (counts.failed > 0 || counts.passed + counts.skipped === 0) process.exitCode = 1;
      console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    },
  };
}

function explain(why: unknown): string {
  const text = why instanceof Error ? why.message : String(why);
  const cause = why instanceof Error && why.cause !== undefined ? `\n${explain(why.cause)}` : "";
  return `  ${text.replaceAll("\n", "\n  ")}${cause}`;
}
