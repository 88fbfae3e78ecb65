/**
 * A playground: a world that somebody drives by hand. It has no end and no injector of faults; the
 * only things that happen to it are the deeds of its play, so a play repeats a course exactly.
 */
import { build, DEFAULT_OPTIONS } from "../build.ts";
import { CALM } from "../network/network.ts";
import { NETWORKS } from "../knobs.ts";
import type { Drain, World } from "../model.ts";
import type { Scenario } from "../scenario.ts";
import { look, type Recorder, recorderOf } from "../film/recorder.ts";
import { startServers } from "../run.ts";
import { mix, mixNumber } from "../trace/hash.ts";
import { narrate } from "../trace/trace.ts";
import { runUntil } from "../world.ts";
import { begin, type Console, consoleOf, endpointsIn } from "./console.ts";
import { type Deed, describeDeed, isOperation } from "./deed.ts";
import { faultsAfter } from "./marks.ts";
import { perform } from "./perform.ts";
import type { Action, ClusterPlan, Play } from "./play.ts";

/** Mutable. */
export interface Playground {
  readonly cluster: ClusterPlan;
  readonly world: World;
  readonly film: Recorder;
  readonly console: Console;
  /** What was done so far. */
  readonly actions: Action[];
}

/** A cluster at time 0. Its servers start within a fifth of a second. */
export function playgroundOf(cluster: ClusterPlan, drain: Drain): Playground {
  const film = recorderOf();
  const console = consoleOf(() => endpointsIn(world));
  const options = { ...DEFAULT_OPTIONS, film, guests: [console.guest] };
  const { world } = build(scenarioOf(cluster), String(cluster.seed), drain, options);
  world.network.profile = NETWORKS[cluster.network - 1] ?? CALM;
  startServers(world);
  for (const client of world.clients) client.start();
  return { cluster, world, film, console, actions: [] };
}

export const playOf = ({ cluster, actions }: Playground): Play => ({ cluster, actions });

/**
 * Does something now. It counts as an event, and shows in the trace. Whoever goes on by it has gone
 * on when this is over, so that deeds of one moment come one after another in every course.
 */
export async function act(playground: Playground, deed: Deed): Promise<void> {
  const { world, film, actions, console } = playground;
  actions.push({ atUs: world.timeUs, after: world.events, deed });
  world.events += 1;
  mixNumber(world.trace.hash, world.timeUs);
  mix(world.trace.hash, ACTION);
  if (isOperation(deed)) {
    begin(world, console, deed);
  } else {
    perform(world, deed);
    narrate(world.trace, world.timeUs, "fault", describeDeed(deed));
  }
  film.faults.splice(0, film.faults.length, ...faultsAfter(actions));
  look(film, world, { type: "action", name: "deed", run: () => undefined });
  await runUntil(world, world.timeUs, world.events);
}

/** What a deed is in the trace: not the number of any type of event (`world.ts`). */
const ACTION = 13;

/**
 * Goes on until the next event is later than `untilUs`, or so many events are over in all, or
 * something is violated.
 */
export const goOn = (playground: Playground, untilUs: number, untilEvents: number): Promise<void> =>
  runUntil(playground.world, untilUs, untilEvents);

/**
 * Goes on towards `untilUs` as `play` says, for about `most` events: true where it is there. To be
 * called again until then; the playground must have come about by the same play.
 */
export async function follow(
  playground: Playground,
  play: Play,
  untilUs: number,
  most: number,
): Promise<boolean> {
  const { world, actions } = playground;
  const enough = world.events + most;
  while (world.events < enough && world.checks.violation === undefined) {
    const next = play.actions[actions.length];
    if (next === undefined || next.atUs > untilUs) {
      await runUntil(world, untilUs, enough);
      return world.events < enough || world.timeUs >= untilUs;
    }
    await runUntil(world, next.atUs, Math.min(enough, next.after));
    if (world.events < next.after && world.timeUs < next.atUs) continue;
    world.timeUs = Math.max(world.timeUs, next.atUs);
    await act(playground, next.deed);
  }
  return world.checks.violation !== undefined;
}

/** No fault but those of the play; clients that read and write a few keys. */
const scenarioOf = ({ stores, members, clients }: ClusterPlan): Scenario => ({
  name: "playground",
  summary: "a cluster that somebody drives by hand",
  cluster: {
    stores: [stores],
    members: [members],
    replicas: [stores >= 5 ? 5 : stores >= 3 ? 3 : 1],
  },
  workload: {
    registers: clients,
    mix: [
      [40, "put"],
      [45, "get"],
      [5, "delete"],
      [10, "swap"],
    ],
    replicaReads: 0,
    inserts: 0,
    timestamps: 0,
    bank: 0,
    recorded: 0,
    collectors: 0,
    lifeTimesMs: [],
    brooms: 0,
    graves: 0,
    strays: 0,
    rewinders: 0,
    thinkMs: 60,
    splits: 0,
    replicaCounts: [],
  },
  faults: [],
  network: "calm",
  safetyMs: Number.MAX_SAFE_INTEGER,
  livenessMs: 0,
  settings: "usual",
  extreme: [],
});
