/** The tree as a directory has it. */
import { debtOf } from "./compaction/debt.ts";
import type { Facts } from "./manifest/edit.ts";
import type { ManifestFile } from "./manifest/manifest.ts";
import { emptyTree } from "./state.ts";
import type { TreeState } from "./state.ts";
import type { LsmConfig } from "./types.ts";

/** Numbers of tables, as a directory shows them. */
interface TablesFound {
  /** All that are there or should be: they are not given again. */
  readonly numbers: readonly number[];
  /** Those that cannot be read: no compaction takes them. */
  readonly damaged: readonly number[];
}

export function recoveredTree(
  facts: Facts,
  manifest: ManifestFile | undefined,
  config: LsmConfig,
  { numbers, damaged }: TablesFound,
): TreeState {
  let { nextNumber } = facts;
  for (const number of numbers) nextNumber = Math.max(nextNumber, number + 1);
  return {
    ...emptyTree(),
    ...facts,
    nextNumber,
    // A torn tail is cut off by the repairs.
    manifest: manifest === undefined ? undefined : { ...manifest, torn: false },
    condemned: facts.quarantined,
    damaged: new Set(damaged),
    debt: debtOf(facts.version, config),
    settled: false,
  };
}
