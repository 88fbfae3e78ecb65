/**
 * The test suites' front door to uvu. uvu by itself exits 0 when a file never calls `run()` and
 * when a test throws something that is no Error; both fail here, and every test is counted.
 */
import { suite as uvuSuite } from "uvu";

export interface Counts {
  suites: number;
  passed: number;
  failed: number;
}

/** True counts of this process, read by `main.ts` after the run. */
export const counts: Counts = { suites: 0, passed: 0, failed: 0 };

let declared = 0;

export interface Suite {
  /** `title` is a sentence that states the rule. */
  (title: string, body: () => void | Promise<void>): void;
  /** Must be called once at the end of the file. */
  run(): void;
}

export function suite(name: string): Suite {
  const inner = uvuSuite(name);
  declared += 1;
  let tests = 0;
  const add = (title: string, body: () => void | Promise<void>): void => {
    tests += 1;
    inner(title, async () => {
      try {
        await body();
        counts.passed += 1;
      } catch (error) {
        counts.failed += 1;
        throw error instanceof Error ? error : new Error(`threw a non-Error: ${String(error)}`);
      }
    });
  };
  const run = (): void => {
    declared -= 1;
    counts.suites += 1;
    if (tests === 0) throw new Error(`suite "${name}" has no tests`);
    inner.run();
  };
  return Object.assign(add, { run });
}

/** Suites that were declared and never run. */
export const forgottenSuites = (): number => declared;
