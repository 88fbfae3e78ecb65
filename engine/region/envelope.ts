/** Raft messages on their way to the store of the peer they are for. */
import type { PeerId } from "../base/ids.ts";
import type { RaftMessage } from "../raft/types.ts";
import { epochOf } from "./descriptor.ts";
import { type Replica, regionId, storeOf } from "./replica.ts";
import type { Turn } from "./turn.ts";

/** Sends `message` to the replica `to`; nothing where this one does not know where that lives. */
export function sendMessage(turn: Turn, replica: Replica, to: PeerId, message: RaftMessage): void {
  const store = storeOf(replica, to);
  if (store === undefined) return;
  const { confVer, version } = epochOf(replica.region);
  const { startKey, endKey } = replica.region;
  turn.effects.push({
    type: "send",
    to: store,
    message: {
      type: "raft",
      region: regionId(replica),
      from: replica.peer.id as PeerId,
      to,
      confVer,
      version,
      startKey,
      endKey,
      message,
    },
  });
}
