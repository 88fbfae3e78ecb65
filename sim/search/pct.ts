/**
 * Probabilistic concurrency testing of delivery: each link has a priority, and who stands low is
 * held behind the others for a bounded time. A few times in a run a link falls below all others. A
 * bug that needs so many messages in one certain order is met with a chance that does not vanish
 * among thousands of messages, as it does where every delay is drawn alone.
 *
 * The classic method runs the highest priority that can run, for ever; here clocks go on, so a link
 * only waits for as long as the run says.
 */
import { drawsOf, isDrawn } from "../decisions/decisions.ts";
import { later } from "../faults/later.ts";
import type { World } from "../model.ts";
import { nameOf } from "../names.ts";
import { below, between, pick } from "../random.ts";
import type { Scenario } from "../scenario.ts";
import { narrate } from "../trace/trace.ts";

/** How long the lowest link waits, in microseconds: from within a round trip to past elections. */
const WAITS: readonly number[] = [10_000, 50_000, 200_000, 1_000_000];
/** Of all links the upper ones wait for nobody, in millionths. */
const FREE = 750_000;
const ALL = 1_000_000;

export function prioritise(world: World, scenario: Scenario): void {
  const { decisions, network } = world;
  if (!isDrawn(decisions, "search/pct")) return;
  const random = drawsOf(decisions, "search/pct");
  const longestUs = pick(random, WAITS);
  const changes = below(random, 4);
  for (let link = 0; link < network.behind.length; link++) {
    const low = Math.max(0, below(random, ALL) - FREE) / (ALL - FREE);
    network.behind[link] = Math.floor(longestUs * low * low);
  }
  for (let nth = 1; nth <= changes; nth++) fall(world, scenario, nth, longestUs);
}

/** Some time in the run a link falls below all others, and stays there. */
function fall(world: World, scenario: Scenario, nth: number, longestUs: number): void {
  const name = `search/pct/${nth}`;
  if (!isDrawn(world.decisions, name)) return;
  const random = drawsOf(world.decisions, name);
  const { network } = world;
  const link = below(random, network.behind.length);
  later(world, between(random, 1, scenario.safetyMs * 1000), "priority", () => {
    network.behind[link] = longestUs + nth * 1000;
    const [from, to] = [Math.floor(link / network.size), link % network.size];
    const who = `${nameOf(world, from)} to ${nameOf(world, to)}`;
    narrate(world.trace, world.timeUs, "fault", `messages from ${who} come behind all others`);
  });
}
