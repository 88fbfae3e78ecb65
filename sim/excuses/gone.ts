/** Members of groups that are gone for good, and why. */
import type { PeerId, StoreId } from "../../engine/base/ids.ts";
import type { Group } from "../checkers/group.ts";
import { placedReplicas } from "../checkers/look.ts";
import type { World } from "../model.ts";
import { seconds } from "../trace/trace.ts";

/** Something that a server has lost for good. */
export interface Loss {
  readonly timeUs: number;
  /** Which store it was until then; 0 where it did not know that yet. */
  readonly store: StoreId;
  /** Lives of the server up to this one have lost what they had. */
  readonly incarnation: number;
  /** In words, as in `its disk was lost`. */
  readonly why: string;
}

/** Members of a group that are gone, each in words with where it was and what became of it. */
export type Gone = ReadonlyMap<PeerId, string>;

/**
 * Those that were seen before the loss, and those that the group's replicas know to be on a store
 * that is no more, though they may never have come into being there.
 */
export function goneFrom(world: World, group: Group): Gone {
  const gone = new Map<PeerId, string>();
  const add = (peer: PeerId, server: string, loss: Loss | undefined): void => {
    if (loss === undefined || gone.has(peer)) return;
    gone.set(peer, `peer ${peer} on ${server} (${loss.why} at ${seconds(loss.timeUs)})`);
  };
  for (const { peer, machine, incarnation } of group.members.values()) {
    const loss = machine.losses.find((one) => incarnation <= one.incarnation);
    add(peer, machine.name, loss);
  }
  for (const { replica } of placedReplicas(world).get(group.region) ?? []) {
    for (const { id, storeId } of replica.region.peers) {
      for (const { name, losses } of world.stores) {
        add(
          id as PeerId,
          name,
          losses.find(({ store }) => store === storeId),
        );
      }
    }
  }
  return gone;
}

/** Some of them in words. */
export const obituaries = (gone: Gone, peers: readonly PeerId[]): string =>
  peers.flatMap((peer) => gone.get(peer) ?? []).join(", ");
