/** What the placement driver says of a region, asked as any client asks. */
import type { Key } from "../../engine/base/bytes.ts";
import { PD_SERVICE } from "../../engine/protocol/services.ts";
import { createGrpcClient } from "../../runtime/grpc/client.ts";
import type { GrpcClient } from "../../runtime/grpc/client.ts";

const options = { timeoutMs: 2000 };
const { GetMembers, GetRegion, GetStore } = PD_SERVICE.methods;

export interface RegionView {
  /** Peers that vote and hold all of the log, as far as the leader has reported. */
  readonly voters: number;
  /** Where the leader's store serves; undefined while there is none. */
  readonly leader: string | undefined;
}

/** The region of `key` by the account of one member; undefined where it has none to give. */
export async function regionOf(pd: string, key: Key): Promise<RegionView | undefined> {
  const client = createGrpcClient(pd);
  try {
    return await ask(client, key);
  } finally {
    client.close();
  }
}

async function ask(client: GrpcClient, key: Key): Promise<RegionView | undefined> {
  const members = await client.unary(GetMembers, GetMembers.request.make(), options);
  const clusterId = members.ok ? members.response.header?.clusterId : undefined;
  if (clusterId === undefined) return undefined;
  const header = { clusterId, senderId: 0, callerId: "", callerComponent: "" };
  const found = await client.unary(
    GetRegion,
    GetRegion.request.make({ header, regionKey: key }),
    options,
  );
  if (!found.ok || found.response.region === undefined) return undefined;
  const { region, leader, pendingPeers, downPeers } = found.response;
  const behind = new Set([...pendingPeers, ...downPeers.map(({ peer }) => peer)].map((p) => p?.id));
  const voters = region.peers.filter(({ id, role }) => role === VOTER && !behind.has(id)).length;
  if (leader === undefined || leader.storeId === 0) return { voters, leader: undefined };
  const request = GetStore.request.make({ header, storeId: leader.storeId });
  const store = await client.unary(GetStore, request, options);
  return { voters, leader: store.ok ? store.response.store?.address : undefined };
}

/** metapb's PeerRole. */
const VOTER = 0;
