/**
 * A placement driver that knows just enough for a cluster of a few stores: ids, bootstrap, and one
 * order at a time that grows a region to a replica on every store.
 */
import { ConfChangeType } from "../../engine/protocol/gen/eraftpb.ts";
import { Peer, PeerRole, type Region } from "../../engine/protocol/gen/metapb.ts";
import * as pdpb from "../../engine/protocol/gen/pdpb.ts";
import type { PdCall, PdReply } from "../../engine/protocol/services.ts";

const CLUSTER = 77n;

export class ScriptedPlacement {
  private ids = 100;
  private timestamps = 0;
  /** The oracle's time, in milliseconds; undefined: it does not answer. */
  oracleMs: number | undefined = 1000;
  safePoints: { readonly transaction: bigint; readonly gc: bigint } = { transaction: 0n, gc: 0n };
  private bootstrapped: Region | undefined;
  private stores = new Set<number>();
  readonly regions: Map<number, { region: Region; leader: Peer | undefined }> = new Map();
  /** What it has heard of regions from others than these stores. */
  readonly newer: Map<number, Region> = new Map();
  /** By region: the store that is to lead it, and one that is to have no replica of it. */
  readonly leaders: Map<number, number> = new Map();
  readonly shunned: Map<number, number> = new Map();

  /** A driver that knows the same, and goes on by itself. */
  clone(): ScriptedPlacement {
    const copy = new ScriptedPlacement();
    copy.ids = this.ids;
    copy.timestamps = this.timestamps;
    copy.oracleMs = this.oracleMs;
    copy.safePoints = this.safePoints;
    copy.bootstrapped = this.bootstrapped;
    copy.stores = new Set(this.stores);
    for (const [id, known] of this.regions) copy.regions.set(id, known);
    for (const [id, region] of this.newer) copy.newer.set(id, region);
    for (const [id, store] of this.leaders) copy.leaders.set(id, store);
    for (const [id, store] of this.shunned) copy.shunned.set(id, store);
    return copy;
  }

  answer({ method, request }: PdCall): PdReply {
    const header = pdpb.ResponseHeader.make({ clusterId: CLUSTER });
    switch (method) {
      case "GetMembers":
        return { method, response: pdpb.GetMembersResponse.make({ header }) };
      case "AllocID":
        this.ids += request.count;
        return {
          method,
          response: pdpb.AllocIDResponse.make({ header, id: this.ids, count: request.count }),
        };
      case "IsBootstrapped":
        return {
          method,
          response: pdpb.IsBootstrappedResponse.make({
            header,
            bootstrapped: this.bootstrapped !== undefined,
          }),
        };
      case "Bootstrap":
        return {
          method,
          response: pdpb.BootstrapResponse.make({ header: this.bootstrap(request.region) }),
        };
      case "GetRegion":
        return {
          method,
          response: pdpb.GetRegionResponse.make({ header, ...this.regionAt(request.regionKey) }),
        };
      case "GetRegionByID":
        return {
          method,
          response: pdpb.GetRegionResponse.make({
            header,
            region: this.newer.get(request.regionId) ?? this.regions.get(request.regionId)?.region,
          }),
        };
      case "PutStore":
        this.stores.add(request.store?.id ?? 0);
        return { method, response: pdpb.PutStoreResponse.make({ header }) };
      case "RegionHeartbeat":
        return { method, response: this.heartbeat(request, header) };
      case "AskBatchSplit":
        return {
          method,
          response: pdpb.AskBatchSplitResponse.make({
            header,
            ids: Array.from({ length: request.splitCount }, () =>
              pdpb.SplitID.make({
                newRegionId: ++this.ids,
                newPeerIds: (request.region?.peers ?? []).map(() => ++this.ids),
              }),
            ),
          }),
        };
      case "Tso": {
        this.timestamps += request.count;
        const { oracleMs: physical, timestamps: logical } = this;
        const timestamp =
          physical === undefined ? undefined : pdpb.Timestamp.make({ physical, logical });
        return {
          method,
          response: pdpb.TsoResponse.make({ header, count: request.count, timestamp }),
        };
      }
      case "GetGCState": {
        const { transaction: txnSafePoint, gc: gcSafePoint } = this.safePoints;
        const gcState = pdpb.GCState.make({ txnSafePoint, gcSafePoint });
        return { method, response: pdpb.GetGCStateResponse.make({ header, gcState }) };
      }
      default:
        return { method, response: { header } } as unknown as PdReply;
    }
  }

  private regionAt(key: string): Pick<pdpb.GetRegionResponse, "region" | "leader"> {
    for (const known of this.regions.values()) {
      const { startKey, endKey } = known.region;
      if (key >= startKey && (endKey === "" || key < endKey)) return known;
    }
    return { region: this.bootstrapped, leader: undefined };
  }

  private bootstrap(region: Region | undefined): pdpb.ResponseHeader {
    const { ALREADY_BOOTSTRAPPED } = pdpb.ErrorType;
    const error =
      this.bootstrapped === undefined ? undefined : pdpb.Error.make({ type: ALREADY_BOOTSTRAPPED });
    this.bootstrapped ??= region;
    return pdpb.ResponseHeader.make({ clusterId: CLUSTER, error });
  }

  private heartbeat(
    { region, leader, pendingPeers }: pdpb.RegionHeartbeatRequest,
    header: pdpb.ResponseHeader,
  ): pdpb.RegionHeartbeatResponse {
    const response = pdpb.RegionHeartbeatResponse.make({ header });
    if (region === undefined) return response;
    this.regions.set(region.id, { region, leader });
    const base = {
      ...response,
      regionId: region.id,
      regionEpoch: region.regionEpoch,
      targetPeer: leader,
    };
    const learner = region.peers.find(({ role }) => role === PeerRole.Learner);
    if (learner !== undefined) {
      if (pendingPeers.some(({ id }) => id === learner.id)) return base;
      return {
        ...base,
        changePeer: pdpb.ChangePeer.make({
          peer: { ...learner, role: PeerRole.Voter },
          changeType: ConfChangeType.AddNode,
        }),
      };
    }
    const order = this.ordered(region, leader);
    if (order !== undefined) return { ...base, ...order };
    const shunned = this.shunned.get(region.id);
    const free = [...this.stores].find(
      (id) => id !== shunned && region.peers.every((p) => p.storeId !== id),
    );
    if (free === undefined) return base;
    const peer = Peer.make({ id: ++this.ids, storeId: free, role: PeerRole.Learner });
    return {
      ...base,
      changePeer: pdpb.ChangePeer.make({ peer, changeType: ConfChangeType.AddLearnerNode }),
    };
  }

  /** What a test has asked for. */
  private ordered(
    region: Region,
    leader: Peer | undefined,
  ): Partial<pdpb.RegionHeartbeatResponse> | undefined {
    const target = region.peers.find(({ storeId }) => storeId === this.leaders.get(region.id));
    if (target !== undefined && target.id !== leader?.id) {
      return { transferLeader: pdpb.TransferLeader.make({ peer: target }) };
    }
    const peer = region.peers.find(({ storeId }) => storeId === this.shunned.get(region.id));
    if (peer === undefined || peer.id === leader?.id) return undefined;
    const changeType = ConfChangeType.RemoveNode;
    return { changePeer: pdpb.ChangePeer.make({ peer, changeType }) };
  }
}
