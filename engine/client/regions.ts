/**
 * What the client believes of regions: ranges, members and leaders, by start key. It is wrong now
 * and then, and the stores say so.
 */
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import * as tree from "../base/tree.ts";
import type { Tree } from "../base/tree.ts";
import type { Peer, Region } from "../protocol/gen/metapb.ts";
import type { RegionRoute } from "./placement.ts";

/** A region and the member that is asked. */
export interface Route {
  readonly region: Region;
  readonly peer: Peer;
}

export class RegionCache {
  #routes: Tree<Route> = tree.empty();

  /** Keys and bounds here are those of the placement driver. */
  get(key: Key): Route | undefined {
    const cursor = tree.seekBefore(this.#routes, `${key}\0` as Key);
    if (!cursor.valid) return undefined;
    const { region } = cursor.value;
    return region.endKey === EMPTY_KEY || key < region.endKey ? cursor.value : undefined;
  }

  /**
   * Enters a region in place of all that it overlaps. Without a leader its first member is asked.
   */
  put({ region, leader }: RegionRoute): Route | undefined {
    const peer = leader ?? region.peers[0];
    if (peer === undefined) return undefined;
    this.#clear(region);
    const route = { region, peer };
    this.#routes = tree.set(this.#routes, region.startKey, route);
    return route;
  }

  /** Another member is asked from now on: the one named, or the next in the list. */
  turnTo(route: Route, leader: Peer | undefined): void {
    const { peers, startKey } = route.region;
    if (tree.get(this.#routes, startKey)?.region.id !== route.region.id) return;
    const at = peers.findIndex(({ id }) => id === route.peer.id);
    const peer = leader ?? peers[(at + 1) % peers.length];
    if (peer === undefined) return;
    this.#routes = tree.set(this.#routes, startKey, { region: route.region, peer });
  }

  forget({ region }: Route): void {
    if (tree.get(this.#routes, region.startKey)?.region.id !== region.id) return;
    this.#routes = tree.remove(this.#routes, region.startKey);
  }

  #clear({ startKey, endKey }: Region): void {
    const run = tree.edit(this.#routes);
    const before = tree.seekBefore(this.#routes, startKey);
    if (before.valid) {
      const { region } = before.value;
      if (region.endKey === EMPTY_KEY || region.endKey > startKey) run.remove(before.key);
    }
    run.removeRange(startKey, endKey);
    this.#routes = run.done();
  }
}
