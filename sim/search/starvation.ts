/**
 * Starvation: messages of one type from one sender to one receiver are held for a time with a heavy
 * tail, and then come up to three times or never. One to three such lanes a run, for a while or for
 * good. Where a fault of a scenario holds a part of many messages, this holds all of a few.
 */
import { drawsOf, isDrawn } from "../decisions/decisions.ts";
import { TRANSACTIONAL, TYPES } from "../faults/holds.ts";
import { later } from "../faults/later.ts";
import type { Machine, World } from "../model.ts";
import type { Hold } from "../network/hold.ts";
import { nameOf } from "../names.ts";
import { below, between, chance, pick, type Random } from "../random.ts";
import type { Scenario } from "../scenario.ts";
import { narrate } from "../trace/trace.ts";

/** How long a lane is starved, in microseconds. */
const SPANS: readonly number[] = [500_000, 3_000_000, 600_000_000];
const DELAYS: readonly Hold["delay"][] = [
  { type: "heavy_tail", minUs: 10_000, scaleUs: 50_000 },
  { type: "heavy_tail", minUs: 10_000, scaleUs: 1_000_000 },
];

export function starve(world: World, scenario: Scenario): void {
  const { decisions } = world;
  if (!isDrawn(decisions, "search/hold")) return;
  const lanes = between(drawsOf(decisions, "search/hold"), 1, 3);
  for (let nth = 1; nth <= lanes; nth++) {
    const name = `search/hold/${nth}`;
    if (isDrawn(decisions, name)) begin(world, scenario, drawsOf(decisions, name));
  }
}

function begin(world: World, scenario: Scenario, random: Random): void {
  const hold = drawLane(world, scenario, random);
  const lastsUs = pick(random, SPANS);
  // Some are starved from the beginning on: a new cluster is worth it.
  const atUs = chance(random, 300_000) ? 1 : below(random, scenario.safetyMs * 1000);
  const { network } = world;
  later(world, atUs, "starvation", () => {
    network.holds = [...network.holds, hold];
    const who = [hold.from, hold.to]
      .map((node) => (node === undefined ? "anybody" : nameOf(world, node)))
      .join(" to ");
    const what = `messages "${hold.messageType.trim()}" from ${who} are starved`;
    narrate(world.trace, world.timeUs, "fault", what);
    later(world, lastsUs, "starvation", () => {
      network.holds = network.holds.filter((other) => other !== hold);
    });
  });
}

function drawLane(world: World, { workload }: Scenario, random: Random): Hold {
  const isTransactional = workload.bank + workload.recorded + workload.graves > 0;
  const transactional = isTransactional && chance(random, 500_000);
  const messageType = pick(random, transactional ? TRANSACTIONAL : TYPES);
  const isCall = messageType.startsWith("call ");
  const isAnswer = messageType.startsWith("answer ");
  const isPlacement = !isCall && chance(random, 200_000);
  const group: readonly Machine[] = isPlacement ? world.members : world.stores;
  const from = below(random, group.length);
  // Nobody sends messages to himself.
  const to = (from + between(random, 1, Math.max(1, group.length - 1))) % group.length;
  return {
    messageType,
    from: isCall ? undefined : group[from]?.node,
    to: isAnswer ? undefined : group[to]?.node,
    millionths: pick(random, [300_000, 1_000_000]),
    delay: pick(random, DELAYS),
    maxCopies: pick(random, [1, 2, 3]),
    repeatsCalls: transactional,
  };
}
