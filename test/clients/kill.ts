/**
 * Rounds of kill -9 on random store processes, now and then on all at once or on PD, under a stream
 * of writes; at the end every acknowledged write must be there. `--rounds N` rounds, `--seed N` to
 * draw the same victims again (the times stay real), `--pds 1|3`.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import seedrandom from "seedrandom";
import { withCluster } from "./cluster.ts";
import type { Cluster, Node } from "./cluster.ts";
import { goClient } from "./real-client.ts";
import type { RealClient } from "./real-client.ts";
import { createTally } from "./tally.ts";
import { startWrites } from "./write-stream.ts";

const exec = promisify(execFile);
const patienceMs = 90_000;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now()) },
    pds: { type: "string", default: "1" },
  },
});
const rounds = Number(values.rounds);
const random = seedrandom(values.seed);
const tally = createTally();

const found = await goClient("client-go", "go.mod");
if ("missing" in found) {
  tally.skipped("kill -9 under load", found.missing);
} else {
  const { client } = found;
  await tally.check(`${rounds} rounds of kill -9 lose no acknowledged write`, () =>
    withCluster({ pds: values.pds === "3" ? 3 : 1, stores: 3 }, (cluster, directory) =>
      storm(client, cluster, join(directory, "outcomes")),
    ),
  );
}
tally.end();

async function storm(client: RealClient, cluster: Cluster, file: string): Promise<void> {
  console.log(`# seed ${values.seed}`);
  const writes = startWrites(client, cluster.endpoints, file, "storm");
  let kills = 0;
  try {
    await writes.acknowledge(100, patienceMs);
    for (let round = 1; round <= rounds; round += 1) {
      const victims = draw(cluster);
      await Promise.all(victims.map((victim) => victim.kill()));
      kills += victims.length;
      await sleep(random() * 3000);
      await Promise.all(victims.map((victim) => victim.start()));
      const took = await writes.acknowledge(100, patienceMs);
      const { acknowledged, unknown } = writes.progress();
      const names = victims.map(({ name }) => name).join(" ");
      console.log(
        `# round ${round}: killed ${names}; writes went on after ${Math.round(took)} ms; ` +
          `${acknowledged} acknowledged, ${unknown} unknown`,
      );
      await sleep(random() * 1000);
    }
    const { acknowledged, unknown } = await writes.finish();
    console.log(`# ${kills} kills, ${acknowledged} acknowledged, ${unknown} of unknown outcome`);
  } catch (error) {
    writes.abandon();
    throw error;
  }
  const args = [...client.args, "verify", "--pd", cluster.endpoints, "--file", file];
  const { stdout } = await exec(client.file, args, { timeout: patienceMs });
  console.log(`# ${stdout.trim()}`);
}

/** Mostly one store, sometimes two, at times every store, and at times a placement driver too. */
function draw(cluster: Cluster): Node[] {
  const shuffled = cluster.stores
    .map((store) => ({ store, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ store }) => store);
  const luck = random();
  const count = luck < 0.5 ? 1 : luck < 0.75 ? 2 : shuffled.length;
  const victims: Node[] = shuffled.slice(0, count);
  const pd = cluster.pds[Math.floor(random() * cluster.pds.length)];
  if (random() < 0.2 && pd !== undefined) victims.push(pd);
  return victims;
}
