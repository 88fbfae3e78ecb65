/**
 * How far the stores say that their data are settled: no transaction commits at or below the least
 * of it any more. Soft state of the leader, which the stores tell again and again.
 */
import { idKey } from "../base/big-endian.ts";
import * as tree from "../base/tree.ts";
import { StoreState } from "../protocol/gen/metapb.ts";
import { ReportMinResolvedTsResponse } from "../protocol/gen/pdpb.ts";
import type { ReportMinResolvedTsRequest } from "../protocol/gen/pdpb.ts";
import { failure, header, reply } from "./calls/answer.ts";
import type { Answer, Desk } from "./calls/answer.ts";
import type { Catalog } from "./catalog/catalog.ts";
import type { Leadership } from "./leadership.ts";
import { storeById } from "./catalog/stores.ts";

export interface Resolved {
  /** Of all stores that count; 0 while one of them has not told. */
  readonly least: bigint;
  /** By store; 0 for one that has not told. */
  readonly stores: ReadonlyMap<number, bigint>;
}

/** A store tells; it never goes back. */
export function reportMinResolvedTs(desk: Desk, request: ReportMinResolvedTsRequest): Answer {
  const { catalog, leadership } = desk;
  const { storeId, minResolvedTs } = request;
  if (storeById(catalog.stores, storeId) === undefined) {
    const message = `invalid store ID ${storeId}, not found`;
    return failure(catalog, "ReportMinResolvedTS", "unknown", message);
  }
  const key = idKey(storeId);
  if (minResolvedTs > (tree.get(leadership.resolved, key) ?? 0n)) {
    const resolved = tree.set(leadership.resolved, key, minResolvedTs);
    desk.leadership = { ...leadership, resolved };
  }
  const response = ReportMinResolvedTsResponse.make({ header: header(catalog) });
  return reply("ReportMinResolvedTS", response);
}

/** Stores that are gone for good do not count. */
export function resolvedOf({ resolved }: Leadership, catalog: Catalog): Resolved {
  const stores = new Map<number, bigint>();
  for (const { id, state } of catalog.stores) {
    if (state !== StoreState.Tombstone) stores.set(id, tree.get(resolved, idKey(id)) ?? 0n);
  }
  let least: bigint | undefined;
  for (const ts of stores.values()) if (least === undefined || ts < least) least = ts;
  return { least: least ?? 0n, stores };
}
