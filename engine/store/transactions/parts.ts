/** How a step puts other parts into what a store knows of its transactions. */
import type { Transactions } from "./state.ts";

/**
 * `transactions` with other parts, in the one shape of all (`docs/design/001-base-and-tree.md`).
 */
export const withParts = (
  transactions: Transactions,
  parts: Partial<Transactions>,
): Transactions => ({
  concurrency: parts.concurrency ?? transactions.concurrency,
  latches: parts.latches ?? transactions.latches,
  running: parts.running ?? transactions.running,
  waiting: parts.waiting ?? transactions.waiting,
  detector: parts.detector ?? transactions.detector,
  telling: parts.telling ?? transactions.telling,
  resolving: parts.resolving ?? transactions.resolving,
  held: parts.held ?? transactions.held,
  synced: parts.synced ?? transactions.synced,
  oracle: parts.oracle ?? transactions.oracle,
  destroying: parts.destroying ?? transactions.destroying,
});
