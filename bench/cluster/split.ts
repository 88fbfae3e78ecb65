/** Splits regions where a benchmark or a test needs them apart. */
import type { Key } from "../../engine/base/bytes.ts";
import { Context } from "../../engine/protocol/gen/kvrpcpb.ts";
import { PD_SERVICE, TIKV_SERVICE } from "../../engine/protocol/services.ts";
import { encodeKey } from "../../engine/mvcc/keys.ts";
import { createGrpcClient } from "../../runtime/grpc/client.ts";
import type { GrpcClient } from "../../runtime/grpc/client.ts";
import { waitFor } from "./processes.ts";
import type { Cluster } from "./rutile.ts";

const options = { timeoutMs: 5000 };
const { GetMembers, GetRegion, GetStore } = PD_SERVICE.methods;
const { SplitRegion } = TIKV_SERVICE.methods;

/**
 * Makes each of `keys` the start of a region: as they are where they are raw, and otherwise as
 * transactional clients know them.
 */
export async function splitAt(cluster: Cluster, keys: readonly Key[], raw: boolean): Promise<void> {
  const pd = createGrpcClient(cluster.pds[0]!.address);
  try {
    for (const key of keys) {
      const bound = raw ? key : encodeKey(key);
      await waitFor(`a region starts at ${key}`, 30_000, () => startsAt(pd, bound));
    }
  } finally {
    pd.close();
  }
}

/** True if a region starts at `bound`; otherwise its leader has been asked to split it there. */
async function startsAt(pd: GrpcClient, bound: Key): Promise<boolean> {
  const members = await pd.unary(GetMembers, GetMembers.request.make(), options);
  const clusterId = members.ok ? members.response.header?.clusterId : undefined;
  if (clusterId === undefined) return false;
  const header = { clusterId, senderId: 0, callerId: "", callerComponent: "" };
  const asked = GetRegion.request.make({ header, regionKey: bound });
  const found = await pd.unary(GetRegion, asked, options);
  if (!found.ok) return false;
  const { region, leader } = found.response;
  if (region?.startKey === bound) return true;
  if (region === undefined || leader === undefined) return false;
  const request = GetStore.request.make({ header, storeId: leader.storeId });
  const store = await pd.unary(GetStore, request, options);
  const address = store.ok ? store.response.store?.address : undefined;
  if (address === undefined) return false;
  const { id: regionId, regionEpoch } = region;
  const context = Context.make({ regionId, regionEpoch, peer: leader });
  const client = createGrpcClient(address);
  try {
    const split = SplitRegion.request.make({ context, splitKeys: [bound], isRawKv: true });
    await client.unary(SplitRegion, split, options);
  } finally {
    client.close();
  }
  return false;
}
