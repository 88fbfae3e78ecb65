/**
 * The client's line to the placement driver: it follows the leader among the members, and asks it
 * for regions, stores and timestamps.
 */
import type { Key } from "../base/bytes.ts";
import type { Peer, Region, Store } from "../protocol/gen/metapb.ts";
import {
  AdvanceGCSafePointRequest,
  AdvanceTxnSafePointRequest,
  GetGCStateRequest,
  GetMembersRequest,
  GetRegionRequest,
  GetStoreRequest,
  RequestHeader,
  type ResponseHeader,
  TsoRequest,
} from "../protocol/gen/pdpb.ts";
import type { PdCall, PdReply } from "../protocol/services.ts";
import { composeTimestamp, Timestamp } from "../base/timestamp.ts";
import type { Backoff } from "./backoff.ts";
import { ClientError } from "./errors.ts";
import type { Ports } from "./ports.ts";

const CALL_WITHIN_MS = 3000;

type ReplyTo<M extends PdCall["method"]> = Extract<PdReply, { readonly method: M }>["response"];

type Method =
  | "GetRegion"
  | "GetPrevRegion"
  | "GetStore"
  | "Tso"
  | "GetGCState"
  | "AdvanceTxnSafePoint"
  | "AdvanceGCSafePoint";

/** How far versions are collected. */
export interface SafePoints {
  /** Nobody reads, or begins to write, below it. */
  readonly transaction: Timestamp;
  /** At most that: what nobody at or above it sees is garbage. */
  readonly garbage: Timestamp;
}

type Attempt<Response> =
  | { readonly ok: true; readonly response: Response }
  /** A phrase for people. */
  | { readonly ok: false; readonly problem: string };

/** A region as the placement driver knows it. */
export interface RegionRoute {
  readonly region: Region;
  readonly leader: Peer | undefined;
}

export class Placement {
  readonly #ports: Ports;
  /** Where members may be found; those that are learned of are added. */
  readonly #endpoints: Set<string>;
  #leader: string | undefined;
  #cluster = 0n;

  constructor(ports: Ports, endpoints: readonly string[]) {
    this.#ports = ports;
    this.#endpoints = new Set(endpoints);
  }

  /** The id that all requests carry. */
  async clusterId(backoff: Backoff): Promise<bigint> {
    while (this.#cluster === 0n) {
      if ((await this.#findLeader(backoff)) === undefined) await waitForLeader(backoff);
    }
    return this.#cluster;
  }

  /** The region that holds `key`; undefined while none is known. */
  async region(backoff: Backoff, key: Key): Promise<RegionRoute | undefined> {
    const { region, leader } = await this.#call(backoff, "GetRegion", (header) => ({
      method: "GetRegion",
      request: GetRegionRequest.make({ header, regionKey: key }),
    }));
    return region === undefined || region.peers.length === 0 ? undefined : { region, leader };
  }

  /** The region that ends where the one that holds `key` begins. */
  async previousRegion(backoff: Backoff, key: Key): Promise<RegionRoute | undefined> {
    const { region, leader } = await this.#call(backoff, "GetPrevRegion", (header) => ({
      method: "GetPrevRegion",
      request: GetRegionRequest.make({ header, regionKey: key }),
    }));
    return region === undefined || region.peers.length === 0 ? undefined : { region, leader };
  }

  async store(backoff: Backoff, storeId: number): Promise<Store | undefined> {
    const { store } = await this.#call(backoff, "GetStore", (header) => ({
      method: "GetStore",
      request: GetStoreRequest.make({ header, storeId }),
    }));
    return store;
  }

  /** A timestamp greater than every one that was given before it was asked for. */
  async timestamp(backoff: Backoff): Promise<Timestamp> {
    const { timestamp } = await this.#call(backoff, "Tso", (header) => ({
      method: "Tso",
      request: TsoRequest.make({ header, count: 1 }),
    }));
    if (timestamp === undefined) throw new ClientError("refused", "the answer has no timestamp");
    return composeTimestamp(timestamp.physical, timestamp.logical);
  }

  /** How far versions are collected. */
  async safePoints(backoff: Backoff): Promise<SafePoints> {
    const { gcState } = await this.#call(backoff, "GetGCState", (header) => ({
      method: "GetGCState",
      request: GetGCStateRequest.make({ header, excludeGcBarriers: true }),
    }));
    if (gcState === undefined) throw new ClientError("refused", "the answer has no safe points");
    const { txnSafePoint, gcSafePoint } = gcState;
    return { transaction: Timestamp(txnSafePoint), garbage: Timestamp(gcSafePoint) };
  }

  /**
   * Moves the transaction safe point to `target`, or as far as barriers let it; returns where it is
   * then, which is beyond where another has moved it further.
   */
  async advanceTransactions(backoff: Backoff, target: Timestamp): Promise<Timestamp> {
    for (;;) {
      const { transaction } = await this.safePoints(backoff);
      if (transaction >= target) return transaction;
      const attempt = await this.#attempt(backoff, "AdvanceTxnSafePoint", (header) => ({
        method: "AdvanceTxnSafePoint",
        request: AdvanceTxnSafePointRequest.make({ header, target }),
      }));
      if (attempt.ok) return Timestamp(attempt.response.newTxnSafePoint);
      await backoff.wait("placement_rpc", attempt.problem);
    }
  }

  /** Declares garbage below `target`, which is at most the transaction safe point. */
  async advanceGarbage(backoff: Backoff, target: Timestamp): Promise<Timestamp> {
    for (;;) {
      const { garbage } = await this.safePoints(backoff);
      if (garbage >= target) return garbage;
      const attempt = await this.#attempt(backoff, "AdvanceGCSafePoint", (header) => ({
        method: "AdvanceGCSafePoint",
        request: AdvanceGCSafePointRequest.make({ header, target }),
      }));
      if (attempt.ok) return Timestamp(attempt.response.newGcSafePoint);
      await backoff.wait("placement_rpc", attempt.problem);
    }
  }

  async #call<M extends Method>(
    backoff: Backoff,
    method: M,
    make: (header: RequestHeader) => PdCall,
  ): Promise<ReplyTo<M>> {
    for (;;) {
      const attempt = await this.#attempt(backoff, method, make);
      if (attempt.ok) return attempt.response;
      await backoff.wait("placement_rpc", attempt.problem);
    }
  }

  /** Asks the leader once, when it is known. */
  async #attempt<M extends Method>(
    backoff: Backoff,
    method: M,
    make: (header: RequestHeader) => PdCall,
  ): Promise<Attempt<ReplyTo<M>>> {
    const clusterId = await this.clusterId(backoff);
    let leader = this.#leader ?? (await this.#findLeader(backoff));
    for (; leader === undefined; leader = await this.#findLeader(backoff)) {
      await waitForLeader(backoff);
    }
    const options = { timeoutMs: backoff.timeoutMs(CALL_WITHIN_MS), signal: backoff.signal };
    const call = make(RequestHeader.make({ clusterId }));
    const answer = await this.#ports.transport.pd(leader, call, options);
    let problem: string;
    if (answer.ok) {
      const response = answer.reply.response as ReplyTo<M>;
      const header: ResponseHeader | undefined = response.header;
      if (header?.error === undefined || header.error.type === 0) return { ok: true, response };
      problem = header.error.message;
    } else {
      problem = answer.message;
    }
    this.#leader = undefined;
    return { ok: false, problem: `${method}: ${problem}` };
  }

  /** Asks every member it knows, one after another, until one names the leader. */
  async #findLeader(backoff: Backoff): Promise<string | undefined> {
    for (const endpoint of this.#endpoints) {
      const options = { timeoutMs: backoff.timeoutMs(1000), signal: backoff.signal };
      const call: PdCall = { method: "GetMembers", request: GetMembersRequest.make() };
      const answer = await this.#ports.transport.pd(endpoint, call, options);
      if (!answer.ok || answer.reply.method !== "GetMembers") continue;
      const { header, leader, members } = answer.reply.response;
      for (const { clientUrls } of members) {
        for (const url of clientUrls) this.#endpoints.add(endpointOf(url));
      }
      const [url] = leader?.clientUrls ?? [];
      if (url === undefined || (header?.clusterId ?? 0n) === 0n) continue;
      this.#cluster = header?.clusterId ?? 0n;
      this.#leader = endpointOf(url);
      return this.#leader;
    }
    return undefined;
  }
}

const waitForLeader = (backoff: Backoff): Promise<void> =>
  backoff.wait("placement_rpc", "no member of the placement driver names a leader");

/** `host:port` of a URL or of an address. */
const endpointOf = (url: string): string => url.replace(/^https?:\/\//, "").replace(/\/$/, "");
