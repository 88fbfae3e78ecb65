/**
 * Convergence: once faults have stopped, every group has a leader that all its members follow to
 * the last entry, the regions cover the key space, every member has its replica, there is no
 * replica without a member, and the placement driver knows all that. Servers that were left out
 * (`liveness/core.ts`) need not have any of it; the others must have it without them.
 */
import type { Replica } from "../../engine/region/replica.ts";
import type { PlacementState } from "../../engine/placement/index.ts";
import { healthOf } from "../../engine/placement/leadership.ts";
import type { Leadership } from "../../engine/placement/leadership.ts";
import { isRearranging } from "../../engine/placement/rearrange.ts";
import { byId } from "../../engine/placement/catalog/registry.ts";
import type { Peer, Region } from "../../engine/protocol/gen/metapb.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { Machine, PlacementMachine, World } from "../model.ts";
import { EMPTY_KEY, escaped, type Key } from "../../engine/base/bytes.ts";
import { isJoint } from "../../engine/raft/configuration.ts";
import { configurationOf, isInitialized } from "../../engine/region/descriptor.ts";
import { view as viewOf } from "../../engine/store/query.ts";
import { isJoined } from "../../engine/store/state.ts";
import { readClock } from "../clock/clock.ts";
import { takesPart } from "../liveness/freeze.ts";
import { type Placed, placedReplicas } from "./look.ts";
import { epochText, membersText, rangeText } from "../trace/region-text.ts";
import { compareReplicas } from "./replicas.ts";

/** Something that has not converged. */
export interface Lack {
  /** In words. */
  readonly text: string;
  /** What it is that lacks it. */
  readonly of:
    | { readonly type: "server"; readonly machine: Machine }
    /** A Raft group: 0 is the placement driver, others are regions. */
    | { readonly type: "group"; readonly group: number }
    /** Where keys are that no leader has. */
    | { readonly type: "range"; readonly start: Key }
    | { readonly type: "clients" };
}

/** The first thing that has not converged in words, or undefined. */
export function missing(world: World): string | undefined {
  for (const { text } of lacks(world)) return text;
  return undefined;
}

/** All that has not converged, what others follow from first. */
export function* lacks(world: World): Generator<Lack, void> {
  for (const machine of world.servers) {
    const { name, status } = machine;
    if (world.leftOut.has(machine) || status === "up") continue;
    yield { text: `${name} is ${status}`, of: { type: "server", machine } };
  }
  if (world.errands > 0) {
    yield { text: `${world.errands} operations have no answer`, of: { type: "clients" } };
  }
  const driver = leaderOf(world, driversOf(world));
  for (const text of missingDrivers(world, driver?.state.raft)) yield lackOf(0, text);
  for (const machine of world.stores) {
    if (world.leftOut.has(machine) || machine.status !== "up") continue;
    const text = missingStore(world, machine, driver);
    if (text !== undefined) yield { text, of: { type: "server", machine } };
  }
  yield* missingRegions(world, driver?.state.leadership);
}

const lackOf = (group: number, text: string): Lack => ({ text, of: { type: "group", group } });

interface Driver {
  readonly machine: PlacementMachine;
  readonly state: PlacementState;
  readonly raft: RaftState;
}

const driversOf = (world: World): readonly Driver[] =>
  world.members.flatMap((machine) => {
    const { state } = machine;
    return state === undefined ? [] : { machine, state, raft: state.raft };
  });

/** The leader of the latest term, among those that work with the core. */
function leaderOf<Member extends { readonly machine: Machine; readonly raft: RaftState }>(
  world: World,
  members: readonly Member[],
): Member | undefined {
  let leader: Member | undefined;
  for (const member of members) {
    const { raft, machine } = member;
    if (raft.role !== "leader" || !takesPart(world, machine)) continue;
    if (leader === undefined || raft.term > leader.raft.term) leader = member;
  }
  return leader;
}

function* missingDrivers(world: World, leader: RaftState | undefined): Generator<string, void> {
  if (leader === undefined) {
    yield "the placement driver has no leader";
    return;
  }
  // A driver is never at rest (it keeps storing windows of timestamps): its members must only have
  // what was committed when somebody last looked.
  const expected = world.checks.placementCommit;
  world.checks.placementCommit = leader.commit;
  for (const machine of world.members) {
    if (world.leftOut.has(machine)) continue;
    const { state, name } = machine;
    if (state === undefined) {
      yield `${name} has no state`;
      continue;
    }
    const { raft } = state;
    if (raft.term !== leader.term) yield `${name} is in term ${raft.term}, not ${leader.term}`;
    if (raft.applied < expected) {
      yield `${name} has applied ${raft.applied} of ${expected} entries`;
    }
  }
}

/** What a store lacks, and whether the placement driver knows that it is there. */
function missingStore(
  world: World,
  { state, name, id }: World["stores"][number],
  driver: Driver | undefined,
): string | undefined {
  if (state === undefined || !isJoined(state)) return `${name} has not joined the cluster`;
  const leadership = driver?.state.leadership;
  if (driver === undefined || leadership === undefined) return undefined;
  const { catalog, config } = driver.state;
  const known = catalog.stores.find((store) => store.id === id);
  if (known === undefined) return `the placement driver knows no ${name}`;
  const { monotonicMs } = readClock(driver.machine.clock, world.timeUs);
  const health = healthOf(leadership, known, config, monotonicMs);
  if (health === "up" || health === "offline") return undefined;
  return `${name} is up, and ${health} for the placement driver`;
}

interface Member extends Placed {
  readonly raft: RaftState;
}

const memberOf = ({ machine, replica }: Placed): Member => ({
  machine,
  replica,
  raft: replica.raft,
});

function* missingRegions(world: World, leadership: Leadership | undefined): Generator<Lack, void> {
  const leaders: Replica[] = [];
  for (const [region, placed] of placedReplicas(world)) {
    const living = placed.filter(({ machine }) => machine.state !== undefined);
    const members = living.map(memberOf);
    const leader = leaderOf(world, members)?.replica;
    if (leader === undefined) {
      // Only on servers that are left out: left over there, or led by others by now.
      const mattered = living.some(({ machine }) => !world.leftOut.has(machine));
      if (mattered) yield lackOf(region, `region ${region} has no leader`);
      continue;
    }
    leaders.push(leader);
    for (const text of missingReplicas(world, leader, living)) {
      yield lackOf(region, `region ${region}: ${text}`);
    }
    if (leadership === undefined) continue;
    const text = misunderstood(leader, leadership);
    if (text !== undefined) yield lackOf(region, `region ${region}: ${text}`);
  }
  yield* missingRange(leaders);
}

function* missingReplicas(
  world: World,
  { region, raft }: Replica,
  placed: readonly Placed[],
): Generator<string, void> {
  // Those that are no more count: their peers stay until others have taken their place.
  const stores = world.stores.reduce((sum, { losses }) => sum + 1 + losses.length, 0);
  if (region.peers.length > stores) yield "it has more peers than there are stores";
  if (isJoint(configurationOf(region))) yield "it is between two configurations";
  for (const peer of region.peers) {
    const host = world.stores.find(({ id }) => id === peer.storeId);
    // Nobody can take the place of a peer whose store is no more where each store has one already.
    if (host === undefined ? !hasRoom(world, region) : world.leftOut.has(host)) continue;
    const member = placed.find(({ replica }) => replica.peer.id === peer.id)?.replica;
    const text = missingMember(peer, member, raft);
    if (text !== undefined) yield text;
  }
  const orphan = placed.find(
    ({ machine, replica }) =>
      !world.leftOut.has(machine) && !region.peers.some(({ id }) => id === replica.peer.id),
  );
  if (orphan !== undefined) {
    yield `peer ${orphan.replica.peer.id} on ${orphan.machine.name} is no member, and still there`;
  }
}

/** Whether there is a store without a peer of this region, to which one could be added. */
const hasRoom = (world: World, { peers }: Region): boolean =>
  world.stores.some(
    (store) => takesPart(world, store) && !peers.some(({ storeId }) => storeId === store.id),
  );

function missingMember(
  peer: Peer,
  member: Replica | undefined,
  leader: RaftState,
): string | undefined {
  if (member === undefined) return `peer ${peer.id} is not on store ${peer.storeId}`;
  if (!isInitialized(member.region)) return `peer ${peer.id} has no data yet`;
  if (member.damaged !== undefined) {
    return `the data of peer ${peer.id} is damaged (${member.damaged.file}) and not replaced`;
  }
  if (member.raft.term !== leader.term) {
    return `peer ${peer.id} is in term ${member.raft.term}, its leader in ${leader.term}`;
  }
  if (member.applied !== leader.log.last) {
    return `peer ${peer.id} has applied ${member.applied} of ${leader.log.last} entries`;
  }
  return undefined;
}

/** What the placement driver has another view of than the region's leader. */
function misunderstood({ region, peer }: Replica, leadership: Leadership): string | undefined {
  const known = byId(leadership.registry, region.id);
  if (known === undefined) return "the placement driver does not know it";
  if (describeRegion(known.region) !== describeRegion(region)) {
    const view = describeRegion(known.region);
    return `the placement driver knows ${view}, its leader ${describeRegion(region)}`;
  }
  if (isRearranging(leadership, region.id)) return "an operator's wish for it is not done";
  if (known.leader?.id !== peer.id) {
    const leader = known.leader === undefined ? "nobody" : `peer ${known.leader.id}`;
    return `it is led by peer ${peer.id}, for the placement driver by ${leader}`;
  }
  return undefined;
}

const describeRegion = (region: Region): string =>
  `version ${epochText(region)} of ${rangeText(region)} on ${membersText(region)}`;

/** Whether the regions cover the key space, each key once. */
function* missingRange(leaders: readonly Replica[]): Generator<Lack, void> {
  const regions = leaders
    .map(({ region }) => region)
    .sort((a, b) => (a.startKey < b.startKey ? -1 : a.startKey > b.startKey ? 1 : 0));
  let end: Key | undefined = EMPTY_KEY;
  for (const region of regions) {
    if (end === undefined || region.startKey !== end) {
      const text = `the regions do not meet at key "${escaped(region.startKey)}"`;
      yield { text, of: { type: "range", start: end ?? region.startKey } };
    }
    end = region.endKey === EMPTY_KEY ? undefined : region.endKey;
  }
  if (end === undefined) return;
  const text = `no region holds the keys from "${end}" on`;
  yield { text, of: { type: "range", start: end } };
}

/** When all has converged: each region's replicas hold the same data. */
export function compareAll(world: World): void {
  const first = new Map<number, Placed>();
  for (const placed of placedReplicas(world).values()) {
    for (const { machine, replica } of placed) {
      if (machine.state === undefined) continue;
      const other = first.get(replica.region.id);
      if (other === undefined) first.set(replica.region.id, { machine, replica });
      else if (other.replica.applied === replica.applied) {
        const [a, b] = [other, { machine, replica }].map(appliedOf);
        if (a !== undefined && b !== undefined) compareReplicas(world, a, b);
      }
    }
  }
}

function appliedOf({
  machine,
  replica,
}: Placed): Parameters<typeof compareReplicas>[1] | undefined {
  if (machine.state === undefined || replica.damaged !== undefined) return undefined;
  const { startKey, endKey } = replica.region;
  const view = viewOf(machine.state, machine.watched);
  const region = replica.region.id;
  const tables = machine.watched;
  return { region, index: replica.applied, startKey, endKey, view, tables, store: machine.name };
}
