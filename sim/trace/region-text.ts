/** A region's descriptor for people. */
import { escaped } from "../../engine/base/bytes.ts";
import { PeerRole, PeerRoleName, type Region } from "../../engine/protocol/gen/metapb.ts";

/** Both counters of the epoch: `3.5` after three changes of the range and five of the members. */
export const epochText = ({ regionEpoch }: Region): string =>
  `${regionEpoch?.version ?? 0}.${regionEpoch?.confVer ?? 0}`;

/** Each peer and its store, with its role where that is not voter: `4@1 5@2 8@3:learner`. */
export const membersText = ({ peers }: Region): string =>
  peers
    .map(({ id, storeId, role }) => {
      const told = role === PeerRole.Voter ? "" : `:${PeerRoleName(role).toLowerCase()}`;
      return `${id}@${storeId}${told}`;
    })
    .join(" ");

/** `["k", "m")`; no key at the end stands for the end of all keys. */
export const rangeText = ({ startKey, endKey }: Region): string =>
  `["${escaped(startKey)}", "${escaped(endKey)}")`;
