/**
 * What may be damaged at all: never more at once than the engine promises to survive. A store is
 * *sick* from the moment bytes of its tables are lost until no such file is left and no replica of
 * it waits for a snapshot. Of each region a majority of the voters has its data whole, on stores
 * that are not sick.
 */
import type { Replica } from "../../engine/region/replica.ts";
import { isInitialized } from "../../engine/region/descriptor.ts";
import { PeerRole } from "../../engine/protocol/gen/metapb.ts";
import type { StoreMachine, World } from "../model.ts";
import { replicasOf } from "../checkers/look.ts";

/** Stores that may be damaged now, or damaged further. */
export function expendable(world: World): readonly StoreMachine[] {
  const sick = new Set(world.stores.filter(isSick));
  return world.stores.filter((machine) => {
    const struck = new Set(sick).add(machine);
    const replicas = replicasOf(machine).filter(({ region }) => isInitialized(region));
    return (
      machine.status === "up" &&
      replicas.length > 0 &&
      replicas.every((replica) => survives(world, replica, struck))
    );
  });
}

/** Whether damage was done to this store that it has not got over. */
export function isSick(machine: StoreMachine): boolean {
  const { disk } = machine;
  if (disk.goesAstray || disk.damaged().length > 0) return true;
  return replicasOf(machine).some(({ damaged }) => damaged !== undefined);
}

/** Whether this region keeps a majority of whole copies without the stores in `sick`. */
function survives(world: World, { region }: Replica, sick: ReadonlySet<StoreMachine>): boolean {
  const voters = region.peers.filter(({ role }) => role !== PeerRole.Learner);
  const whole = voters.filter(({ id, storeId }) => {
    const machine = world.stores.find((store) => store.id === storeId);
    if (machine === undefined || sick.has(machine)) return false;
    const copy = replicasOf(machine).find(({ peer }) => peer.id === id);
    return copy !== undefined && isInitialized(copy.region) && copy.damaged === undefined;
  });
  return 2 * whole.length > voters.length;
}
