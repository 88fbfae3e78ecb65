/**
 * Where the stores of the cluster listen, as the placement driver says; remembered until a
 * connection fails.
 */
import { GetStoreRequest, RequestHeader } from "../../engine/protocol/gen/pdpb.ts";
import { parseAddress } from "./address.ts";
import type { Address } from "./address.ts";
import type { PlacementClient } from "./placement-client.ts";

export interface StoreDirectory {
  find(id: number): Promise<Address | undefined>;
  /** The address did not work: ask again when it is next needed. */
  forget(id: number): void;
}

/** `cluster` is asked at each question, as a fresh store learns it only after its start. */
export function createStoreDirectory(
  placement: PlacementClient,
  cluster: () => bigint,
): StoreDirectory {
  const known = new Map<number, Address>();
  return {
    async find(id) {
      const remembered = known.get(id);
      if (remembered !== undefined) return remembered;
      const answer = await placement.ask({
        method: "GetStore",
        request: GetStoreRequest.make({
          header: RequestHeader.make({ clusterId: cluster() }),
          storeId: id,
        }),
      });
      if (!answer.ok || answer.reply.method !== "GetStore") return undefined;
      const address = parseAddress(answer.reply.response.store?.address ?? "");
      if (address !== undefined) known.set(id, address);
      return address;
    },
    forget: (id) => void known.delete(id),
  };
}
