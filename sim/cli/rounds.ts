/** The runs of a batch, in rounds where later ones depend on earlier ones. */
import { searchedBy } from "../decisions/schedule.ts";
import { guideOf, learn, planFor, ROUND } from "../search/guide.ts";
import type { Command } from "./arguments.ts";
import type { Job, Summary } from "./summary.ts";

type Many = Extract<Command, { type: "many" }>;

/** Runs all of a batch and gives its jobs, in order. `run` may be called for many at once. */
export async function runRounds(
  command: Many,
  run: (job: Job) => Promise<Summary>,
): Promise<readonly Job[]> {
  const { strategy } = command;
  if (strategy.type === "guided") return runGuided(command, run);
  const schedule = searchedBy(strategy);
  const jobs = [...slots(command, 0, Infinity)].map(({ scenario, seed }): Job => ({
    scenario,
    seed: String(seed),
    byReference: command.byReference,
    schedule,
    novelty: command.novelty,
  }));
  await Promise.all(jobs.map(run));
  return jobs;
}

async function runGuided(
  command: Many,
  run: (job: Job) => Promise<Summary>,
): Promise<readonly Job[]> {
  const { scenarios, first, last, byReference } = command;
  const guides = new Map(scenarios.map((name) => [name, guideOf(name)]));
  const jobs: Job[] = [];
  for (let place = 0; first + place <= last; place += ROUND) {
    const round = [...slots(command, place, place + ROUND)].map(({ scenario, seed }) => {
      const guide = guides.get(scenario) ?? guideOf(scenario);
      const plan = planFor(guide, seed - first, seed);
      const schedule = searchedBy(plan.strategy);
      return {
        guide,
        plan,
        job: { scenario, seed: plan.seed, byReference, schedule, novelty: true },
      };
    });
    const summaries = await Promise.all(round.map(({ job }) => run(job)));
    for (const [i, { guide, plan }] of round.entries()) {
      learn(guide, plan, new Map(summaries[i]?.novelty ?? []));
    }
    jobs.push(...round.map(({ job }) => job));
  }
  return jobs;
}

/** Seed by seed over all scenarios: whoever stops early has seen something of each. */
function* slots(
  { first, last, scenarios }: Many,
  from: number,
  to: number,
): IterableIterator<{ readonly scenario: string; readonly seed: number }> {
  for (let seed = first + from; seed <= Math.min(last, first + to - 1); seed++) {
    for (const scenario of scenarios) yield { scenario, seed };
  }
}
