/**
 * Faults that wait for elections and for changes of members. Most of what can go wrong in Raft goes
 * wrong around them: with entries of earlier terms in the log, with leases that still run, with
 * answers to the leader before, with members that count by different configurations. Faults that
 * strike by the clock seldom meet those moments; these do.
 */
import type { Machine, World } from "../model.ts";
import type { Link } from "../network/topology.ts";
import type { Fault } from "../scenario.ts";
import { drawsOf } from "../decisions/decisions.ts";
import { isAlive } from "../machines/inbox.ts";
import { below, between, chance, pick } from "../random.ts";
import { later } from "./later.ts";
import { deal, type Strike } from "./strike.ts";
import { namedLinks } from "./targets.ts";

/** What an ambush waits for. */
export type Moment = "elections" | "changes";

/** What an ambush does to the machine it has waited for. */
export type Blow = "isolate" | "mute" | "deaf" | "crash" | "power" | "pause";

/** How many of the moments a seed's ambush lets pass, in millionths of those it sees. */
const PATIENCE = [0, 300_000, 800_000];

/** From now on strikes members at such moments of theirs. */
export function lieInWait(
  world: World,
  fault: Extract<Fault, { type: "ambush" }>,
  name: string,
): void {
  const patience = pick(drawsOf(world.decisions, `${name}/patience`), PATIENCE);
  /** By machine, how many such moments it has had. */
  const met = new Map<Machine, number>();
  world.watchers.push((machine: Machine, moment: Moment) => {
    if (moment !== fault.at) return;
    const nth = (met.get(machine) ?? 0) + 1;
    met.set(machine, nth);
    const decision = `${name}/${machine.name}/${nth}`;
    const random = drawsOf(world.decisions, decision);
    if (world.phase !== "safety" || chance(random, patience)) return;
    // Each order of magnitude is as likely as the others: a message's way as well as a heartbeat.
    const delayUs = (between(random, fault.every[0], fault.every[1]) * 1000) >> below(random, 12);
    later(world, delayUs, "ambush", () => {
      if (!isAlive(machine)) return;
      const lastsUs = between(random, fault.lasts[0], fault.lasts[1]) * 1000;
      deal(world, decision, strikeOf(world, machine, pick(random, fault.blows)), lastsUs);
    });
  });
}

function strikeOf(world: World, machine: Machine, blow: Blow): Strike {
  switch (blow) {
    case "crash":
    case "power":
      return { type: "crash", machine: machine.name, power: blow === "power" };
    case "pause":
      return { type: "pause", machine: machine.name };
    default: {
      const others = world.servers.filter((other) => other !== machine);
      const out = others.map(({ node }): Link => [machine.node, node]);
      const into = others.map(({ node }): Link => [node, machine.node]);
      const links = blow === "mute" ? out : blow === "deaf" ? into : [...out, ...into];
      const nodes = [machine, ...others].map(({ name }) => name);
      return { type: "cut", shape: blow, nodes, links: namedLinks(world, links) };
    }
  }
}
