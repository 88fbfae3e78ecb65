/**
 * Members: the peers of a region and the configuration that its Raft group goes by are two records
 * of one fact, written and read back by different ways. As far as a replica has applied its log
 * they are the same, after every step and every start.
 */
import type { Placed } from "../../engine/raft/configuration.ts";
import { configurationOf, isInitialized } from "../../engine/region/descriptor.ts";
import type { Replica } from "../../engine/region/replica.ts";
import type { StoreMachine, World } from "../model.ts";
import { inWords } from "./configurations.ts";
import { passed, violated } from "./verdict.ts";

export function checkMembers(
  world: World,
  machine: StoreMachine,
  before: Replica | undefined,
  replica: Replica,
): void {
  const { region, configuration, raft, applied } = replica;
  const isSame = before?.region.peers === region.peers && before.configuration === configuration;
  if (isSame || !isInitialized(region)) return;
  passed(world, "members");
  const inForce = raft.history.findLast(({ index }) => index <= applied) as Placed;
  const words = inWords(configurationOf(region));
  const others = [configuration, inForce.configuration].map(inWords);
  const other = others.find((text) => text !== words);
  if (other === undefined) return;
  const name = `peer ${replica.peer.id} of region ${region.id} on ${machine.name}`;
  const text = `${name} has applied entry ${applied}: its region has ${words}, its group ${other}`;
  violated(world, "members", text);
}
