/** Taking a replica out of service whose data is damaged (see `damage.ts`). */
import type { TableDamage } from "../storage/table/types.ts";
import { regionNotFound, undetermined } from "./errors.ts";
import { withoutExtraction } from "./snapshot/extraction.ts";
import { fail } from "./propose.ts";
import { refuseReads } from "./reads.ts";
import { type Damaged, type Replica, regionId, withReplica } from "./replica.ts";
import type { Turn } from "./turn.ts";

/** Takes `replica` out of service. Its group must hear `request_snapshot`. */
export function quarantine(turn: Turn, replica: Replica, damage: TableDamage): Replica {
  const region = regionId(replica);
  for (const { parts } of replica.pending) {
    for (const part of parts) fail(turn, part, undetermined("the replica's data is damaged"));
  }
  for (const waiting of replica.reads) refuseReads(turn, waiting, regionNotFound(region));
  turn.effects.push({
    type: "log",
    level: "error",
    message: "data is damaged: the replica is out of service until it is replaced",
    fields: {
      region,
      peer: replica.peer.id,
      file: damage.file,
      offset: damage.offset,
      detail: damage.detail,
    },
  });
  turn.tree.quarantine(region);
  const damaged: Damaged = {
    file: damage.file,
    offset: damage.offset,
    detail: damage.detail,
    sinceMs: turn.now.wallMs,
  };
  const idle = withoutExtraction(turn, replica).replica;
  return withReplica(idle, { damaged, pending: [], reads: [] });
}
