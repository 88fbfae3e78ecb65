/** That the checkers of members and configurations see what is wrong with a member. */
import { setImmediate as drain } from "node:timers/promises";
import * as assert from "uvu/assert";
import { EMPTY_BYTES } from "../../engine/base/bytes.ts";
import type { LogIndex, PeerId } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import { encodeConfigurationEntry } from "../../engine/raft/codec.ts";
import { append } from "../../engine/raft/log.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import type { Configuration, Entry } from "../../engine/raft/types.ts";
import { Region } from "../../engine/protocol/gen/metapb.ts";
import { type Replica, withReplica } from "../../engine/region/replica.ts";
import { calm } from "../../scenarios/calm.ts";
import { build, DEFAULT_OPTIONS } from "../../sim/build.ts";
import { lookAtMember } from "../../sim/checkers/groups.ts";
import { replicasOf } from "../../sim/checkers/look.ts";
import { checkMembers } from "../../sim/checkers/members.ts";
import { startLater } from "../../sim/machines/process.ts";
import type { StoreMachine, World } from "../../sim/model.ts";
import { runUntil } from "../../sim/world.ts";
import { suite } from "../harness.ts";

const test = suite("sim/checkers: configurations");

interface Found {
  readonly world: World;
  readonly machine: StoreMachine;
  readonly replica: Replica;
  readonly raft: RaftState;
}

/** A member of a region, in a calm world that has been running for a while. */
async function found(role: "leader" | "follower"): Promise<Found> {
  const scenario = { ...calm, cluster: { stores: [3], members: [1], replicas: [3] } };
  const { world } = build(scenario, "1", drain, DEFAULT_OPTIONS);
  for (const machine of world.servers) startLater(world, machine, 1000);
  for (const client of world.clients) client.start();
  await runUntil(world, 2_500_000);
  assert.is(world.checks.violation, undefined);
  for (const machine of world.stores) {
    const replica = replicasOf(machine).find(({ raft }) => raft.role === role && raft.commit > 10);
    if (replica !== undefined) return { world, machine, replica, raft: replica.raft };
  }
  throw new Error(`no ${role}`);
}

/** Shows the checkers a state that the engine never made, and says what they say of it. */
function seen({ world, machine, replica, raft }: Found, change: Partial<RaftState>): string {
  const { region, peer } = replica;
  lookAtMember(world, machine, region.id, peer.id as PeerId, { ...raft, ...change });
  return said(world);
}

const said = (world: World): string => {
  const { violation } = world.checks;
  return violation === undefined ? "none" : `${violation.check}: ${violation.text}`;
};

const inForce = ({ history }: RaftState): Configuration => history.at(-1)!.configuration;

function entryOf(raft: RaftState, configuration: Configuration): Entry {
  const change = { changes: [], context: EMPTY_BYTES };
  const data = encodeConfigurationEntry({ change, configuration }, createWire());
  const index = (raft.log.last + 1) as LogIndex;
  return { index, term: raft.term, type: "configuration", data };
}

const fewer = ({ voters, ...rest }: Configuration): Configuration => ({
  ...rest,
  voters: voters.slice(1),
});

test("a configuration in the log that a member does not go by is told", async () => {
  const member = await found("follower");
  const { raft } = member;
  const log = append(raft.log, [entryOf(raft, fewer(inForce(raft)))]);
  assert.match(seen(member, { log }), /^one configuration: .* does not go by .* entry \d+/);
});

test("a configuration that a member goes by, and that is not in its log, is told", async () => {
  const member = await found("follower");
  const { raft } = member;
  const index = (raft.log.last + 1) as LogIndex;
  const history = [...raft.history, { index, configuration: fewer(inForce(raft)) }];
  assert.match(seen(member, { history }), /^one configuration: .* which is none of its log/);
});

test("a member that begins with other members than were committed is told", async () => {
  const member = await found("follower");
  const { raft } = member;
  const history = [{ index: raft.applied, configuration: fewer(inForce(raft)) }];
  assert.match(seen(member, { history }), /^one configuration: .* committed there is voters/);
});

test("a candidate that is no voter is told", async () => {
  const member = await found("follower");
  const { raft, replica } = member;
  const { voters } = inForce(raft);
  const configuration = {
    ...inForce(raft),
    voters: voters.filter((peer) => peer !== replica.peer.id),
  };
  const entry = entryOf(raft, configuration);
  const { index } = entry;
  const log = append(raft.log, [entry]);
  const history = [...raft.history, { index, configuration }];
  const removed = { log, history, role: "pre_candidate" } as const;
  assert.is(seen(member, removed), "none", "its removal may never be committed");
  const again = await found("follower");
  const known = { ...removed, commit: index, durable: index };
  assert.match(seen(again, known), /^candidates: .* stands for election .* and is no voter/);
});

test("a leader that changes members before an entry of its term is committed is told", async () => {
  const leader = await found("leader");
  const { raft } = leader;
  const configuration = fewer(inForce(raft));
  const entry = entryOf(raft, configuration);
  const log = append(raft.log, [entry]);
  const history = [...raft.history, { index: entry.index, configuration }];
  const termStart = (raft.commit + 1) as LogIndex;
  assert.match(
    seen(leader, { log, history, termStart }),
    /^one change at a time: .* has committed nothing of term/,
  );
});

test("a region whose peers are not what its group goes by is told", async () => {
  const { world, machine, replica } = await found("follower");
  checkMembers(world, machine, undefined, replica);
  assert.is(said(world), "none");
  const region = Region.make({ ...replica.region, peers: replica.region.peers.slice(1) });
  checkMembers(world, machine, replica, withReplica(replica, { region }));
  assert.match(said(world), /^members: .* its region has voters .*, its group voters/);
});

test.run();
