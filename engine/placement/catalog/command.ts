/**
 * What members propose to change the catalog, and what comes of it. Encoded by `command-codec.ts`.
 */
import type { Region, Store, StoreState } from "../../protocol/gen/metapb.ts";
import type { Barrier, SafePointCommand } from "./safe-point.ts";

export type Command =
  /** The first one wins. */
  | { readonly type: "draw_cluster"; readonly clusterId: bigint }
  | { readonly type: "reserve_ids"; readonly count: number }
  | { readonly type: "save_window"; readonly end: number }
  | { readonly type: "bootstrap"; readonly store: Store; readonly region: Region }
  | { readonly type: "put_store"; readonly store: Store }
  | { readonly type: "set_store_state"; readonly store: number; readonly state: StoreState }
  | { readonly type: "record_regions"; readonly regions: readonly Region[] }
  | { readonly type: "set_max_peers"; readonly count: number }
  | { readonly type: "set_external_timestamp"; readonly timestamp: bigint }
  | { readonly type: "safe_point"; readonly command: SafePointCommand };

/** Why a command changed nothing. The words stand for `pdpb.ErrorType`. */
export type Refusal =
  | "unknown"
  | "not_bootstrapped"
  | "already_bootstrapped"
  | "store_tombstone"
  | "incompatible_version"
  | "region_not_found"
  | "entry_not_found"
  | "invalid_value"
  | "regions_not_contain_all_key_range";

export type Outcome =
  | { readonly type: "done" }
  /** The ids [first, first + count) are the proposer's. */
  | { readonly type: "ids"; readonly first: number; readonly count: number }
  | {
      readonly type: "moved";
      readonly before: bigint;
      readonly after: bigint;
      readonly blocker: string;
      readonly removed: Barrier | undefined;
    }
  | { readonly type: "refused"; readonly reason: Refusal; readonly message: string };
