/**
 * A cluster of pure functions for the client library: regions and stores as the test says, every
 * call noted, answers and troubles scripted; a clock that jumps when somebody sleeps.
 */
import type { Answer, Ports, Transport } from "../../engine/client/ports.ts";
import { EMPTY_KEY, type Key } from "../../engine/base/bytes.ts";
import { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import { Peer, Region, RegionEpoch, Store } from "../../engine/protocol/gen/metapb.ts";
import {
  type Context,
  GetResponse,
  KvPair,
  RawBatchGetResponse,
  RawBatchPutResponse,
  RawCASResponse,
  RawDeleteRangeResponse,
  RawGetResponse,
  RawPutResponse,
  RawScanResponse,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import {
  GCState,
  GetGCStateResponse,
  GetMembersResponse,
  GetRegionResponse,
  GetStoreResponse,
  Member,
  ResponseHeader,
  Timestamp,
  TsoResponse,
} from "../../engine/protocol/gen/pdpb.ts";
import type { PdCall, PdReply, TikvCall, TikvReply } from "../../engine/protocol/services.ts";

export const CLUSTER = 7n;

/** What a store says instead of doing what it is asked. */
export type Trouble =
  | { readonly type: "region_error"; readonly error: Partial<RegionError> }
  | { readonly type: "lost" }
  /** With a status; FAILED_PRECONDITION where none is given. */
  | { readonly type: "refused"; readonly message: string; readonly code?: number };

export class ScriptedCluster {
  regions: Region[];
  readonly leaders: Map<number, number> = new Map();
  readonly data: Map<Key, Uint8Array> = new Map();
  /** Every call to a store as `address method region`. */
  readonly calls: string[] = [];
  readonly sleeps: number[] = [];
  /** Answers to transactional calls, by method; undefined is no answer. */
  readonly script: Map<TikvCall["method"], (call: TikvCall) => object | undefined> = new Map();
  /** The last timestamp that the oracle gave. */
  timestamp = 1000n;
  safePoint = 0n;
  /** Taken one a call before anything else happens. */
  readonly troubles: Trouble[] = [];
  nowMs = 0;

  /** Regions cut at `bounds`, each on stores 1 to 3, led by the first. */
  constructor(bounds: readonly string[] = []) {
    const edges = [EMPTY_KEY, ...(bounds as readonly Key[]), EMPTY_KEY];
    this.regions = edges.slice(1).map((endKey, i) => regionOf(i + 1, 1, edges[i] as Key, endKey));
  }

  get ports(): Ports {
    const transport: Transport = {
      tikv: (address, call) => Promise.resolve(this.#tikv(address, call)),
      pd: (endpoint, call) => Promise.resolve(this.#pd(endpoint, call)),
    };
    return {
      transport,
      clock: {
        nowMs: () => this.nowMs,
        sleep: (ms) => {
          this.sleeps.push(ms);
          this.nowMs += ms;
          return Promise.resolve();
        },
      },
      random: { next: () => 0.5 },
      log: undefined,
    };
  }

  #pd(endpoint: string, call: PdCall): Answer<PdReply> {
    if (endpoint !== "pd1:1") return LOST;
    const header = ResponseHeader.make({ clusterId: CLUSTER });
    switch (call.method) {
      case "GetMembers": {
        const leader = Member.make({ name: "pd1", clientUrls: ["http://pd1:1"] });
        const response = GetMembersResponse.make({ header, leader, members: [leader] });
        return { ok: true, reply: { method: call.method, response } };
      }
      case "GetRegion":
      case "GetPrevRegion": {
        const { regionKey } = call.request;
        const at = this.regions.findIndex((region) => holds(region, regionKey));
        const region = this.regions[call.method === "GetRegion" ? at : at - 1];
        const leader = region?.peers.find(({ storeId }) => storeId === this.#leaderOf(region));
        const response = GetRegionResponse.make({ header, region, leader });
        return { ok: true, reply: { method: call.method, response } };
      }
      case "Tso": {
        this.timestamp += 1n;
        const timestamp = Timestamp.make({ logical: Number(this.timestamp) });
        const response = TsoResponse.make({ header, count: 1, timestamp });
        return { ok: true, reply: { method: call.method, response } };
      }
      case "GetGCState": {
        const { safePoint } = this;
        const gcState = GCState.make({ txnSafePoint: safePoint, gcSafePoint: safePoint });
        const response = GetGCStateResponse.make({ header, gcState });
        return { ok: true, reply: { method: call.method, response } };
      }
      case "GetStore": {
        const id = call.request.storeId;
        const store = Store.make({ id, address: `s${id}:1` });
        const response = GetStoreResponse.make({ header, store });
        return { ok: true, reply: { method: call.method, response } };
      }
      default:
        throw new Error(`nobody scripted ${call.method}`);
    }
  }

  #leaderOf = (region: Region): number => this.leaders.get(region.id) ?? 1;

  #tikv(address: string, call: TikvCall): Answer<TikvReply> {
    const { context } = call.request as { readonly context: Context | undefined };
    const id = context?.regionId ?? 0;
    const isAside = context?.replicaRead === true || context?.staleRead === true;
    const how = context?.staleRead === true ? " stale" : isAside ? " replica" : "";
    this.calls.push(`${address} ${call.method} ${id}${how}`);
    const trouble = this.troubles.shift();
    if (trouble?.type === "lost") return LOST;
    if (trouble?.type === "refused") {
      const { code = 9, message } = trouble;
      return { ok: false, reason: "refused", code, message };
    }
    if (trouble !== undefined) return regionError(call, trouble.error);
    const region = this.regions.find((one) => one.id === id);
    if (region === undefined) {
      return regionError(call, { message: "not found", regionNotFound: { regionId: id } });
    }
    const leader = region.peers.find(({ storeId }) => storeId === this.#leaderOf(region));
    if (address !== `s${leader?.storeId}:1` && !isAside) {
      return regionError(call, { message: "not leader", notLeader: { regionId: id, leader } });
    }
    const scripted = this.script.get(call.method);
    if (scripted === undefined) return { ok: true, reply: this.#answer(call) };
    const response = scripted(call);
    if (response === undefined) return LOST;
    return { ok: true, reply: { method: call.method, response } as unknown as TikvReply };
  }

  #answer(call: TikvCall): TikvReply {
    const { data } = this;
    switch (call.method) {
      case "RawGet": {
        const value = data.get(call.request.key);
        const response = RawGetResponse.make(value === undefined ? { notFound: true } : { value });
        return { method: call.method, response };
      }
      case "KvGet": {
        const value = data.get(call.request.key);
        const response = GetResponse.make(value === undefined ? { notFound: true } : { value });
        return { method: call.method, response };
      }
      case "RawPut":
        data.set(call.request.key, call.request.value);
        return { method: call.method, response: RawPutResponse.make() };
      case "RawBatchPut":
        for (const { key, value } of call.request.pairs) data.set(key, value);
        return { method: call.method, response: RawBatchPutResponse.make() };
      case "RawBatchGet": {
        const pairs = call.request.keys.flatMap((key) => {
          const value = data.get(key);
          return value === undefined ? [] : [KvPair.make({ key, value })];
        });
        return { method: call.method, response: RawBatchGetResponse.make({ pairs }) };
      }
      case "RawDeleteRange":
        for (const key of data.keys()) {
          if (key >= call.request.startKey && key < call.request.endKey) data.delete(key);
        }
        return { method: call.method, response: RawDeleteRangeResponse.make() };
      case "RawCompareAndSwap":
        data.set(call.request.key, call.request.value);
        return { method: call.method, response: RawCASResponse.make({ succeed: true }) };
      case "RawScan": {
        const { startKey, endKey, reverse, limit } = call.request;
        const [lower, upper] = reverse ? [endKey, startKey] : [startKey, endKey];
        const keys = [...data.keys()]
          .filter((key) => key >= lower && (upper === EMPTY_KEY || key < upper))
          .sort((a, b) => (a < b ? -1 : 1));
        if (reverse) keys.reverse();
        const kvs = keys
          .slice(0, limit)
          .map((key) => KvPair.make({ key, value: data.get(key) as Uint8Array }));
        return { method: call.method, response: RawScanResponse.make({ kvs }) };
      }
      default:
        throw new Error(`nobody scripted ${call.method}`);
    }
  }
}

export function regionOf(id: number, version: number, startKey: Key, endKey: Key): Region {
  const regionEpoch = RegionEpoch.make({ confVer: 1, version });
  const peers = [1, 2, 3].map((storeId) => Peer.make({ id: id * 10 + storeId, storeId }));
  return Region.make({ id, startKey, endKey, regionEpoch, peers });
}

const LOST = { ok: false, reason: "lost", code: 14, message: "connection refused" } as const;

const holds = ({ startKey, endKey }: Region, key: Key): boolean =>
  key >= startKey && (endKey === EMPTY_KEY || key < endKey);

function regionError(call: TikvCall, error: Partial<RegionError>): Answer<TikvReply> {
  const response = { regionError: RegionError.make(error), error: "" };
  return { ok: true, reply: { method: call.method, response } as unknown as TikvReply };
}
