/**
 * How far a campaign has come: a line that is written over on a terminal, a line now and then
 * elsewhere. A failure is told when its signature is met for the first time.
 */
import type { Host } from "../cli/host.ts";
import { replayCommand } from "../cli/summary.ts";
import { formatNumber } from "../cli/table.ts";
import { signatureOf } from "../shrink/signature.ts";
import type { CampaignCommand } from "./command.ts";
import { durationText, kindsText } from "./duration.ts";
import type { Run } from "./journal.ts";
import type { Ledger } from "./ledger.ts";

export interface Progress {
  /** A run was counted. */
  ran(run: Pick<Run, "scenario" | "seed" | "failure">): void;
  /** A run went otherwise when it was repeated. */
  differed(text: string): void;
  /** Takes the line away. */
  end(): void;
}

const REDRAW_MS = 100;
const LINE_MS = 30_000;

export function progressOf(host: Host, command: CampaignCommand, ledger: Ledger): Progress {
  const { seconds, plan } = command;
  const startMs = host.elapsedMs();
  const before = { seconds: ledger.spentSeconds, runs: ledger.runs };
  const known = new Set(ledger.failures.keys());
  let toldMs = host.isTerminal ? -REDRAW_MS : startMs;
  const clear = (): void => host.write(`\r${" ".repeat(Math.max(1, host.columns - 1))}\r`);
  const tell = (text: string): void => {
    if (host.isTerminal) clear();
    host.write(text);
  };
  const state = (): string => {
    const session = (host.elapsedMs() - startMs) / 1000;
    const rate = (ledger.runs - before.runs) / Math.max(0.001, session);
    const of = seconds === Infinity ? "" : ` of ${durationText(seconds)}`;
    const kinds = ledger.failures.size === 0 ? "" : ` of ${kindsText(ledger.failures.size)}`;
    return (
      `${durationText(before.seconds + session)}${of}, ${formatNumber(ledger.runs)} runs, ` +
      `${rate.toFixed(1)} runs/s, ${formatNumber(ledger.failed)} failed${kinds}`
    );
  };
  return {
    ran({ scenario, seed, failure }) {
      const signature = failure === undefined ? undefined : signatureOf(failure);
      if (failure !== undefined && signature !== undefined && !known.has(signature)) {
        known.add(signature);
        const [first] = failure.text.split("\n");
        tell(
          `FAIL ${scenario} seed=${seed}: ${failure.check}: ${first}\n` +
            `     ${replayCommand(scenario, String(seed), plan.strategy)}\n`,
        );
      }
      const nowMs = host.elapsedMs();
      if (nowMs - toldMs < (host.isTerminal ? REDRAW_MS : LINE_MS)) return;
      toldMs = nowMs;
      if (!host.isTerminal) {
        host.write(`${state()}\n`);
        return;
      }
      clear();
      host.write(state().slice(0, Math.max(1, host.columns - 1)));
    },
    differed: tell,
    end() {
      if (host.isTerminal) clear();
    },
  };
}
