/** The tables that a store's data lies in. */
import { stackOf } from "../../engine/storage/state.ts";
import type { TableDamage, TableMeta } from "../../engine/storage/table/types.ts";
import type { StoreMachine } from "../model.ts";
import { COLUMN_FAMILIES } from "../../engine/storage/types.ts";

/** All that are read now, those received and not yet part of level 0 too. */
export function tablesOf({ state }: StoreMachine): readonly TableMeta[] {
  if (state === undefined) return [];
  const { layers, version } = stackOf(state.storage);
  const tables = layers.flatMap((layer) => (layer.type === "ingested" ? layer.tables : []));
  for (const family of COLUMN_FAMILIES) tables.push(...version.levels[family].flat());
  return tables;
}

/** Whether the run itself has damaged this table. */
export const isExplained = ({ disk }: StoreMachine, { file }: TableDamage): boolean =>
  disk.damaged().includes(file);
