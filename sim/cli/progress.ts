/**
 * How far a batch has come: a bar that is written over on a terminal, now and then a line
 * elsewhere.
 */
import type { Host } from "./host.ts";
import type { Summary } from "./summary.ts";
import { replayCommand } from "./summary.ts";
import { formatNumber } from "./table.ts";

export interface Progress {
  add(summary: Summary): void;
  /** Takes the bar away. */
  end(): void;
}

/** Lines for a batch where nobody watches. */
const LINES = 20;
/** A bar is drawn at most this often. */
const REDRAW_MS = 100;

export function progressOf(host: Host, total: number): Progress {
  let done = 0;
  let failed = 0;
  let drawnMs = -REDRAW_MS;
  const startMs = host.elapsedMs();
  const rate = (): string => {
    const seconds = Math.max(0.001, (host.elapsedMs() - startMs) / 1000);
    return `${(done / seconds).toFixed(1)} runs/s`;
  };
  const clear = (): void => host.write(`\r${" ".repeat(Math.max(1, host.columns - 1))}\r`);
  const bar = (): void => {
    const text = ` ${done}/${total}, ${failed} failed, ${rate()}`;
    const width = Math.max(5, Math.min(40, host.columns - text.length - 4));
    const filled = Math.floor((width * done) / total);
    host.write(`\r[${"#".repeat(filled)}${".".repeat(width - filled)}]${text}`);
  };
  return {
    add(summary) {
      done += 1;
      if (!summary.passed) failed += 1;
      if (!summary.passed) {
        if (host.isTerminal) clear();
        const [first] = summary.text.split("\n");
        host.write(
          `FAIL ${summary.scenario} seed=${summary.seed}: ${summary.check}: ${first}\n` +
            `     ${replayCommand(summary.scenario, summary.seed, summary.strategy)}\n`,
        );
      }
      if (host.isTerminal) {
        const nowMs = host.elapsedMs();
        if (done < total && nowMs - drawnMs < REDRAW_MS) return;
        drawnMs = nowMs;
        bar();
      } else if (Math.floor((LINES * done) / total) > Math.floor((LINES * (done - 1)) / total)) {
        host.write(`${formatNumber(done)} of ${formatNumber(total)} runs, ${failed} failed\n`);
      }
    },
    end() {
      if (host.isTerminal) clear();
    },
  };
}
