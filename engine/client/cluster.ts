/**
 * The way from a key to the store that answers for it: region cache, store addresses, and what to
 * do about each region error, as TiKV's clients do it.
 */
import { assert } from "../base/assert.ts";
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import { decodeMemcomparable, encodeMemcomparable } from "../base/memcomparable.ts";
import type { Error as RegionError } from "../protocol/gen/errorpb.ts";
import { Context } from "../protocol/gen/kvrpcpb.ts";
import type { TikvCall, TikvReply } from "../protocol/services.ts";
import type { Backoff } from "./backoff.ts";
import { ClientError } from "./errors.ts";
import { Placement } from "./placement.ts";
import type { CallFailure, Ports } from "./ports.ts";
import { type ReadFrom, readerOf } from "./reading.ts";
import { RegionCache, type Route } from "./regions.ts";

/**
 * How keys stand in the placement driver's ranges: raw ones as they are, transactional ones
 * memcomparable.
 */
export type KeySpace = "raw" | "transactional";

/** A region's part of a range, in the user's keys; an empty end is no bound. */
export interface Located {
  readonly route: Route;
  readonly start: Key;
  readonly end: Key;
}

/** What became of a call in one region. */
export type Sent<M extends TikvCall["method"]> =
  | { readonly type: "reply"; readonly response: ResponseOf<M> }
  /** The region is another now; whatever was to be done has to be divided again. */
  | { readonly type: "moved" };

export type ResponseOf<M extends TikvCall["method"]> = Extract<
  TikvReply,
  { readonly method: M }
>["response"];

export interface SendOptions {
  /** One call may take this long. */
  readonly timeoutMs: number;
  /**
   * Whether the call may be made again where it is not known if it was carried out. Where it may
   * not, the operation ends `undetermined`.
   */
  readonly repeatable: boolean;
  /** Set for reads that other replicas than the leader may answer. */
  readonly readFrom?: ReadFrom | undefined;
}

/** Longest wait for one call, as the Go client's. */
const CALL_WITHIN_MS = 20_000;

/** A call that does no harm when it arrives twice. */
export const REPEATABLE: SendOptions = { timeoutMs: CALL_WITHIN_MS, repeatable: true };

/** A call whose lost answer leaves it unknown whether it took effect. */
export const ONCE: SendOptions = { timeoutMs: CALL_WITHIN_MS, repeatable: false };

/** Longest wait for a replica that is asked instead of the leader. */
const ASIDE_WITHIN_MS = 2000;

/** What no other attempt would change: PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const FINAL_STATUS: ReadonlySet<number> = new Set([7, 12, 16]);

/** Hardly any key is greater: where the search for the last region begins. */
const FAR_KEY = "\u00ff".repeat(64) as Key;

export class Cluster {
  readonly ports: Ports;
  readonly placement: Placement;
  readonly #space: KeySpace;
  readonly #regions = new RegionCache();
  readonly #addresses = new Map<number, string>();

  constructor(ports: Ports, endpoints: readonly string[], space: KeySpace) {
    this.ports = ports;
    this.placement = new Placement(ports, endpoints);
    this.#space = space;
  }

  /** The region that holds `key`. */
  async locate(backoff: Backoff, key: Key): Promise<Located> {
    return this.locatePlace(backoff, this.#space === "raw" ? key : encodeMemcomparable(key));
  }

  /** The region that holds `place`: a key, or a bound, as the placement driver knows it. */
  async locatePlace(backoff: Backoff, place: Key): Promise<Located> {
    let route = this.#regions.get(place);
    while (route === undefined) {
      const found = await this.placement.region(backoff, place);
      if (found !== undefined) route = this.#regions.put(found);
      if (route === undefined) await backoff.wait("region_miss", "no region holds the key yet");
    }
    return this.#located(route);
  }

  /** The region that holds the keys right before `end`; an empty end is behind all keys. */
  async locateBefore(backoff: Backoff, end: Key): Promise<Located> {
    if (end === EMPTY_KEY) return this.#locateLast(backoff);
    for (;;) {
      const located = await this.locate(backoff, end);
      if (located.start < end) return located;
      const { startKey } = located.route.region;
      const found = await this.placement.previousRegion(backoff, startKey);
      // It may have been merged or split meanwhile: only a region that ends here will do.
      const route = found?.region.endKey === startKey ? this.#regions.put(found) : undefined;
      if (route !== undefined) return this.#located(route);
      this.#regions.forget(located.route);
      await backoff.wait("region_miss", "no region is known to end before the key");
    }
  }

  async #locateLast(backoff: Backoff): Promise<Located> {
    let located = await this.locate(backoff, FAR_KEY);
    while (located.end !== EMPTY_KEY) located = await this.locate(backoff, located.end);
    return located;
  }

  /** `keys` by the region that holds them, in the order of the first of each. */
  async group<T>(
    backoff: Backoff,
    items: readonly T[],
    keyOf: (item: T) => Key,
  ): Promise<readonly { readonly located: Located; readonly items: readonly T[] }[]> {
    const groups = new Map<number, { located: Located; items: T[] }>();
    for (const item of items) {
      const located = await this.locate(backoff, keyOf(item));
      const { id } = located.route.region;
      const group = groups.get(id);
      if (group === undefined) groups.set(id, { located, items: [item] });
      else group.items.push(item);
    }
    return [...groups.values()];
  }

  /** Sends the call for `key` to the region that holds it, as often as need be. */
  async send<M extends TikvCall["method"]>(
    backoff: Backoff,
    key: Key,
    options: SendOptions,
    make: (context: Context) => Extract<TikvCall, { readonly method: M }>,
  ): Promise<ResponseOf<M>> {
    for (;;) {
      const located = await this.locate(backoff, key);
      const sent = await this.sendTo(backoff, located, options, make);
      if (sent.type === "reply") return sent.response;
    }
  }

  /** Sends the call to this region, as often as need be, for as long as it is the same region. */
  async sendTo<M extends TikvCall["method"]>(
    backoff: Backoff,
    located: Located,
    options: SendOptions,
    make: (context: Context) => Extract<TikvCall, { readonly method: M }>,
  ): Promise<Sent<M>> {
    let { route } = located;
    let { readFrom } = options;
    for (;;) {
      if (readFrom !== undefined) {
        const sent = await this.#readAside(backoff, route, readFrom, options, make);
        if (sent !== undefined) return sent;
        readFrom = undefined;
      }
      const address = await this.#addressOf(backoff, route.peer.storeId);
      if (address === undefined) {
        this.#regions.forget(route);
        await backoff.wait("region_miss", `store ${route.peer.storeId} is not known`);
        return { type: "moved" };
      }
      const call = make(await this.#context(backoff, route));
      const timeoutMs = backoff.timeoutMs(options.timeoutMs);
      const { signal } = backoff;
      const answer = await this.ports.transport.tikv(address, call, { timeoutMs, signal });
      backoff.reached = true;
      if (answer.ok) {
        assert(answer.reply.method === call.method, "an answer is to the call that was made");
        const response = answer.reply.response as ResponseOf<M>;
        const { regionError } = response as { readonly regionError?: RegionError | undefined };
        if (regionError === undefined) return { type: "reply", response };
        if (await this.#moved(backoff, route, regionError, options)) return { type: "moved" };
      } else {
        await this.#onFailure(backoff, route, answer, options);
      }
      const next = this.#regions.get(route.region.startKey);
      if (next === undefined || next.region !== route.region) return { type: "moved" };
      route = next;
    }
  }

  /**
   * Asks another replica than the leader, or the leader without its usual care; once, for whatever
   * it cannot answer the leader can.
   */
  async #readAside<M extends TikvCall["method"]>(
    backoff: Backoff,
    route: Route,
    readFrom: ReadFrom,
    options: SendOptions,
    make: (context: Context) => Extract<TikvCall, { readonly method: M }>,
  ): Promise<Sent<M> | undefined> {
    const peer = readerOf(route, readFrom, this.ports.random);
    const address = await this.#addressOf(backoff, peer.storeId);
    if (address === undefined) return undefined;
    const context = await this.#context(backoff, { region: route.region, peer });
    const { stale } = readFrom;
    const call = make({
      ...context,
      staleRead: stale,
      replicaRead: !stale && peer.id !== route.peer.id,
    });
    const timeoutMs = backoff.timeoutMs(Math.min(options.timeoutMs, ASIDE_WITHIN_MS));
    const { signal } = backoff;
    const answer = await this.ports.transport.tikv(address, call, { timeoutMs, signal });
    if (!answer.ok) {
      if (answer.reason === "cancelled") throw new ClientError("cancelled", "cancelled");
      this.#addresses.delete(peer.storeId);
      return undefined;
    }
    assert(answer.reply.method === call.method, "an answer is to the call that was made");
    const response = answer.reply.response as ResponseOf<M>;
    const { regionError } = response as { readonly regionError?: RegionError | undefined };
    return regionError === undefined ? { type: "reply", response } : undefined;
  }

  #located(route: Route): Located {
    const { startKey, endKey } = route.region;
    return { route, start: this.#userKey(startKey), end: this.#userKey(endKey) };
  }

  #userKey(bound: Key): Key {
    if (this.#space === "raw" || bound === EMPTY_KEY) return bound;
    const decoded = decodeMemcomparable(bound);
    return decoded.ok ? decoded.key : bound;
  }

  async #context(backoff: Backoff, { region, peer }: Route): Promise<Context> {
    const clusterId = await this.placement.clusterId(backoff);
    const { id: regionId, regionEpoch } = region;
    return Context.make({ regionId, regionEpoch, peer, clusterId });
  }

  async #addressOf(backoff: Backoff, storeId: number): Promise<string | undefined> {
    const known = this.#addresses.get(storeId);
    if (known !== undefined) return known;
    const address = (await this.placement.store(backoff, storeId))?.address;
    if (address === undefined || address === "") return undefined;
    this.#addresses.set(storeId, address);
    return address;
  }

  /** The store gave no answer, or a status instead of one. */
  async #onFailure(
    backoff: Backoff,
    route: Route,
    { reason, code, message }: CallFailure,
    { repeatable }: SendOptions,
  ): Promise<void> {
    if (reason === "cancelled") {
      // The store may be carrying it out all the same.
      backoff.uncertain = true;
      throw repeatable
        ? new ClientError("cancelled", "cancelled")
        : new ClientError("undetermined", "cancelled while a store worked on it");
    }
    if (FINAL_STATUS.has(code)) throw new ClientError("refused", message);
    if (reason === "lost" && !repeatable) {
      throw new ClientError(
        "undetermined",
        `no answer from store ${route.peer.storeId}: ${message}`,
      );
    }
    if (reason === "lost") backoff.uncertain = true;
    // It may be gone for good, or have come back elsewhere: another member is asked meanwhile.
    this.#addresses.delete(route.peer.storeId);
    this.#regions.turnTo(route, undefined);
    await backoff.wait("store_rpc", `store ${route.peer.storeId}: ${message}`);
  }

  /** Learns what the error says and waits. True where the region is not what it was. */
  async #moved(
    backoff: Backoff,
    route: Route,
    error: RegionError,
    { repeatable }: SendOptions,
  ): Promise<boolean> {
    const because = error.message;
    if (error.notLeader !== undefined) {
      const { leader } = error.notLeader;
      this.#regions.turnTo(route, leader);
      if (leader === undefined) await backoff.wait("region_scheduling", because);
      return false;
    }
    if (error.epochNotMatch !== undefined) {
      return this.#onNewEpoch(backoff, route, error.epochNotMatch.currentRegions, because);
    }
    if (error.undeterminedResult !== undefined) {
      if (!repeatable) throw new ClientError("undetermined", because);
      backoff.uncertain = true;
    }
    if (isFinal(error)) throw new ClientError("refused", because);
    if (error.serverIsBusy !== undefined) {
      const { backoffMs, reason } = error.serverIsBusy;
      await backoff.wait("server_busy", `the store is busy: ${reason}`, backoffMs);
      return false;
    }
    if (error.diskFull !== undefined) {
      await backoff.wait("disk_full", because);
      return false;
    }
    if (error.maxTimestampNotSynced !== undefined) {
      await backoff.wait("max_timestamp_not_synced", because);
      return false;
    }
    if (error.readIndexNotReady !== undefined || error.proposalInMergingMode !== undefined) {
      await backoff.wait("not_ready", because);
      return false;
    }
    if (error.staleCommand !== undefined || error.undeterminedResult !== undefined) {
      await backoff.wait("stale_command", because);
      return false;
    }
    if (error.storeNotMatch !== undefined) this.#addresses.delete(route.peer.storeId);
    this.#regions.forget(route);
    await backoff.wait("region_miss", because);
    return true;
  }

  /** The store knows what the range looks like now, or is behind what the client knows. */
  async #onNewEpoch(
    backoff: Backoff,
    route: Route,
    regions: readonly Route["region"][],
    because: string,
  ): Promise<boolean> {
    const mine = route.region.regionEpoch;
    const behind = regions.some(
      ({ id, regionEpoch }) =>
        id === route.region.id &&
        ((regionEpoch?.version ?? 0) < (mine?.version ?? 0) ||
          (regionEpoch?.confVer ?? 0) < (mine?.confVer ?? 0)),
    );
    if (behind) {
      await backoff.wait("region_miss", because);
      return false;
    }
    this.#regions.forget(route);
    for (const region of regions) {
      // Whoever answered leads all of them: they were one region a moment ago.
      const leader = region.peers.find(({ storeId }) => storeId === route.peer.storeId);
      this.#regions.put({ region, leader });
    }
    if (regions.length === 0) await backoff.wait("region_miss", because);
    return true;
  }
}

/** Whether it would be the same again, whenever and whoever is asked. */
const isFinal = (error: RegionError): boolean =>
  error.raftEntryTooLarge !== undefined ||
  error.flashbackInProgress !== undefined ||
  error.flashbackNotPrepared !== undefined ||
  // No field says it: a timestamp that the oracle never gave.
  error.message.includes("invalid max_ts update");

/** The part of [lower, upper) that lies in the region; empty bounds are none. */
export function rangeWithin(
  { start, end }: Located,
  lower: Key,
  upper: Key,
): { readonly lower: Key; readonly upper: Key } {
  const reaches = end === EMPTY_KEY || (upper !== EMPTY_KEY && end >= upper);
  return { lower: start > lower ? start : lower, upper: reaches ? upper : end };
}
