/** The placement driver: one member as a pure machine. */
import * as raft from "../raft/query.ts";
import type { RaftState } from "../raft/state.ts";
import { all } from "./catalog/registry.ts";
import type { RegionInfo } from "./catalog/registry.ts";
import type { PlacementState } from "./state.ts";
import { resolvedOf } from "./resolved.ts";
import type { Resolved } from "./resolved.ts";

export { open } from "./state.ts";
export type { Opened, PlacementState } from "./state.ts";
export { step } from "./step.ts";
export type { Step } from "./step.ts";
export { DEFAULT_CONFIG, TICK_MS } from "./config.ts";
export type { PlacementConfig } from "./config.ts";
export { decodeMessage, encodeMessage } from "./codec.ts";
export { describeEffect, describeInput, describeMessage } from "./describe.ts";
export type { Catalog } from "./catalog/catalog.ts";
export type { Resolved } from "./resolved.ts";
export type { RegionInfo } from "./catalog/registry.ts";
export type * from "./types.ts";

/** The member's part of the Raft group, for checkers. */
export const raftState = (state: PlacementState): RaftState => state.raft;

export const isLeader = (state: PlacementState): boolean => raft.isLeader(state.raft);

/** What the member knows of regions: a leader what it has heard, any other what is recorded. */
export const regions = (state: PlacementState): readonly RegionInfo[] => [
  ...all(state.leadership?.registry ?? state.catalog.regions),
];

/** The replicated state as of `applied`, equal on all members at equal `applied`. */
export const catalogOf = (state: PlacementState): PlacementState["catalog"] => state.catalog;

/** What the stores have told of settled data; undefined where this member does not lead. */
export const resolved = ({ leadership, catalog }: PlacementState): Resolved | undefined =>
  leadership === undefined ? undefined : resolvedOf(leadership, catalog);
