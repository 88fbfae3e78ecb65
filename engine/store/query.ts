/** What others may ask of a store's state: the status page, the simulator's checkers, tests. */
import * as tree from "../base/tree.ts";
import type { StoreId } from "../base/ids.ts";
import type { Replica } from "../region/replica.ts";
import { type DamageReport, damageOf } from "../region/damage.ts";
import type { TableReader } from "../storage/lsm/reading/stack.ts";
import { stackView } from "../storage/lsm/reading/view.ts";
import { stackOf } from "../storage/state.ts";
import type { Identity } from "../storage/types.ts";
import type { KvView } from "../storage/view.ts";
import type { StoreState } from "./state.ts";
import type { StoreTrouble } from "./types.ts";

/** All replicas, in ascending order of region. */
export const replicas = (state: StoreState): readonly Replica[] =>
  [...tree.entries(state.replicas.byId)].map(([, replica]) => replica);

/**
 * Everything applied, of all regions, read through `tables`. What is damaged reads as if it were
 * not there.
 */
export const view = (state: StoreState, tables: TableReader): KvView =>
  stackView(stackOf(state.storage), tables);

/** The replicas that serve nobody because their data is damaged, and what is known of it. */
export const damage = (state: StoreState): readonly DamageReport[] =>
  replicas(state).flatMap(damageOf);

export const identity = (state: StoreState): Identity | undefined => state.identity;
export const storeId = (state: StoreState): StoreId | undefined => state.identity?.store;

/** Whether the placement driver knows this store. */
export const isJoined = (state: StoreState): boolean => state.registration.type === "joined";

/** Why the store takes part in nothing any more, if it does not. */
export const trouble = (state: StoreState): StoreTrouble | undefined => state.trouble;
