/**
 * Who has to recover when the faults end. In every other seed that is everybody. In the others it
 * is a *core*: of each group, the placement driver's and every region's, a majority whose data is
 * whole. Whoever is left out stays as the faults have left it, or is left worse, for good; the core
 * has to do without it, and it is no excuse for anything.
 */
import { confVerOf } from "../../engine/placement/catalog/registry.ts";
import type { Arrangement } from "../../engine/placement/operator.ts";
import { inForce } from "../../engine/raft/configuration.ts";
import type { Configuration } from "../../engine/raft/types.ts";
import { isInitialized } from "../../engine/region/descriptor.ts";
import type { Replica } from "../../engine/region/replica.ts";
import { placedReplicas, type Placed } from "../checkers/look.ts";
import { drawsOf, isDrawn } from "../decisions/decisions.ts";
import { isSick } from "../faults/atlas.ts";
import type { Machine, World } from "../model.ts";
import { below, chance, pickWeighted, shuffled } from "../random.ts";
import { wishesOf } from "./wishes.ts";

/** What is wrong for good with a server that is left out. */
export type Plight =
  /** Whatever the faults have left it with: down, still, cut off, on a slow disk, or nothing. */
  | "as it is"
  | "down"
  | "still"
  /** No link to another server works. */
  | "cut off"
  /** The others do not hear it, though it hears them; and the reverse. */
  | "mute"
  | "deaf"
  | "slow disk";

export type LeftOut = ReadonlyMap<Machine, Plight>;

/** Nobody is left out. */
export const EVERYBODY: LeftOut = new Map();

/** Of seeds that heal no more than a core, in millionths. */
const CORE_ONLY = 500_000;

const PLIGHTS: readonly (readonly [weight: number, plight: Plight])[] = [
  [3, "as it is"],
  [4, "down"],
  [1, "still"],
  [2, "cut off"],
  [1, "mute"],
  [1, "deaf"],
  [1, "slow disk"],
];

/** Whom this seed leaves out, and with what: decisions `liveness/core` and `liveness/MACHINE`. */
export function drawLeftOut(world: World): LeftOut {
  const { decisions, servers } = world;
  const random = drawsOf(decisions, "liveness/core");
  if (!isDrawn(decisions, "liveness/core") || !chance(random, CORE_ONLY)) return EVERYBODY;
  const leftOut = new Map<Machine, Plight>();
  const most = 1 + below(random, servers.length);
  for (const machine of shuffled(random, servers)) {
    if (leftOut.size === most) break;
    const plight = pickWeighted(drawsOf(decisions, `liveness/${machine.name}`), PLIGHTS);
    if (keepsQuorums(world, new Set(leftOut.keys()).add(machine))) leftOut.set(machine, plight);
  }
  return leftOut;
}

/** Whether every group has a majority of whole members outside `without`. */
export function keepsQuorums(world: World, without: ReadonlySet<Machine>): boolean {
  const members = world.members.filter((member) => !without.has(member));
  if (2 * members.length <= world.members.length) return false;
  const regions = placedReplicas(world);
  // Where there is no region yet, nobody can tell which stores the first ones will need.
  if (regions.size === 0) return world.stores.every((store) => !without.has(store));
  const wanted = wantedReplicas(world);
  const wishes = wishesOf(world);
  const stays = (id: number): boolean =>
    world.stores.some((store) => store.id === id && !without.has(store) && !isSick(store));
  for (const [region, placed] of regions) {
    const isWishSafe = (wish: Arrangement): boolean => isSafe(wish, wanted, stays);
    if (wishes.get(region)?.every(isWishSafe) === false) return false;
    const isKept = (peer: number): boolean =>
      placed.some(({ machine, replica }) => {
        if (replica.peer.id !== peer || without.has(machine)) return false;
        return isInitialized(replica.region) && replica.damaged === undefined && !isSick(machine);
      });
    for (const configuration of configurationsOf(placed)) {
      const { voters, outgoing, learners, learnersNext } = configuration;
      const next = { voters, learners: [...learners, ...learnersNext] };
      if (!isSafe(next, wanted, isKept)) return false;
      if (!isSafe({ voters: outgoing, learners: [] }, wanted, isKept)) return false;
    }
  }
  return true;
}

/** How many a region is to have, as any member of the placement driver has heard. */
const wantedReplicas = ({ members, knobs }: World): number =>
  members.reduce((least, { state }) => {
    const count = state?.catalog.maxPeerCount ?? 0;
    return count > 0 ? Math.min(least, count) : least;
  }, knobs.replicas);

/** Those that may be in force: of the replicas that know of the latest change of members. */
function configurationsOf(placed: readonly Placed[]): readonly Configuration[] {
  const replicas = placed.map(({ replica }) => replica);
  const latest = Math.max(...replicas.map(({ region }) => confVerOf(region)));
  return replicas
    .filter(({ region }) => isInitialized(region) && confVerOf(region) === latest)
    .flatMap((replica: Replica) => [
      replica.configuration,
      inForce(replica.raft.history).configuration,
    ]);
}

/**
 * Whether a majority is kept whatever happens before anybody hears what has become of the others:
 * each of their learners may be made a voter first, and where there are more voters than there
 * should be, those who are kept may be the ones that are removed. No voters are no say.
 */
function isSafe(
  { voters, learners }: Arrangement,
  wanted: number,
  isKept: (member: number) => boolean,
): boolean {
  if (voters.length === 0) return true;
  const lost = [...voters, ...learners].filter((member) => !isKept(member));
  const most = voters.length + learners.filter((member) => !isKept(member)).length;
  return 2 * lost.length < Math.min(most, wanted);
}
