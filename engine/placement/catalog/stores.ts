/**
 * The list of stores in the catalog: who may join, what a store may change of itself, the version
 * of the whole.
 */
import { assert } from "../../base/assert.ts";
import { NodeState, StoreState } from "../../protocol/gen/metapb.ts";
import type { Store } from "../../protocol/gen/metapb.ts";
import type { Refusal } from "./command.ts";
import { compareVersions, formatVersion, isCompatible, parseVersion } from "./version.ts";
import type { Version } from "./version.ts";

export const storeById = (stores: readonly Store[], id: number): Store | undefined =>
  stores.find((store) => store.id === id);

/** `stores` with `store` in its place, in ascending order of id. */
export function withStore(stores: readonly Store[], store: Store): readonly Store[] {
  const others = stores.filter(({ id }) => id !== store.id);
  return [...others, store].sort((a, b) => a.id - b.id);
}

/** Why `store` may not be put beside `stores`, or undefined where it may. */
export function checkNewStore(
  stores: readonly Store[],
  clusterVersion: string,
  store: Store,
): { readonly reason: Refusal; readonly message: string } | undefined {
  const known = storeById(stores, store.id);
  if (known?.state === StoreState.Tombstone) {
    return { reason: "store_tombstone", message: `store is tombstone: id ${store.id}` };
  }
  const invalid = checkStore(store);
  if (invalid !== undefined) return { reason: "unknown", message: invalid };
  for (const other of stores) {
    if (other.id === store.id || other.state === StoreState.Tombstone) continue;
    if (other.address === store.address) {
      return {
        reason: "unknown",
        message: `duplicated store address: id ${store.id} at ${store.address}, already registered by id ${other.id}`,
      };
    }
  }
  if (!isCompatible(versionOf(clusterVersion), versionOf(store.version))) {
    return {
      reason: "incompatible_version",
      message: `version should compatible with version ${clusterVersion}, got ${store.version}`,
    };
  }
  return undefined;
}

/** What is wrong with `store` by itself. */
export function checkStore(store: Store): string | undefined {
  if (store.id === 0) return "invalid store: the id is zero";
  if (store.address === "") return `invalid store ${store.id}: it has no address`;
  if (parseVersion(store.version) === undefined) {
    return `invalid store ${store.id}: version ${JSON.stringify(store.version)} is no semantic version`;
  }
  return undefined;
}

/**
 * What is kept of `known` when the store describes itself anew: its state is not its own to set.
 */
export function mergedStore(known: Store | undefined, store: Store): Store {
  const state = known?.state ?? StoreState.Up;
  return { ...store, state, nodeState: nodeState(state) };
}

/** The lowest version of `stores`, but never one below `current`. */
export function clusterVersionAfter(current: string, stores: readonly Store[]): string {
  let lowest: Version | undefined;
  for (const store of stores) {
    if (store.state === StoreState.Tombstone) continue;
    const version = versionOf(store.version);
    if (lowest === undefined || compareVersions(version, lowest) < 0) lowest = version;
  }
  if (lowest === undefined || compareVersions(lowest, versionOf(current)) <= 0) return current;
  return formatVersion(lowest);
}

function nodeState(state: StoreState): NodeState {
  if (state === StoreState.Tombstone) return NodeState.Removed;
  return state === StoreState.Offline ? NodeState.Removing : NodeState.Serving;
}

function versionOf(text: string): Version {
  const version = parseVersion(text);
  assert(version !== undefined, "versions are checked before they are stored");
  return version;
}
