/**
 * Rounds of kill -9 on random store processes, now and then on all at once or on PD, under a stream
 * of writes; at the end every acknowledged write must be there, and `ctl verify` must find each
 * directory whole as the last kill -9 has left it. The stores' trees are tiny, so that every round
 * falls into flushes and compactions.
 *
 * `--restarts N` until so many processes were restarted, `--seed N` to draw the same victims again
 * (the times stay real), `--pds 1|3`, `--every N`: in each so many-th round writes must go on
 * before the next one.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import seedrandom from "seedrandom";
import { withCluster } from "./cluster.ts";
import type { Cluster, Node } from "./cluster.ts";
import { goClient } from "./real-client.ts";
import type { RealClient } from "./real-client.ts";
import { createTally } from "./tally.ts";
import { startWrites } from "./write-stream.ts";
import type { WriteStream } from "./write-stream.ts";

const exec = promisify(execFile);
const patienceMs = 90_000;
const CLI = fileURLToPath(new URL("../../runtime/cli.js", import.meta.url));

/** Memtables, tables, levels and logs so small that a few seconds of writes go through all. */
const TINY_TREE = `
[rocksdb]
max-manifest-file-size = "64KiB"
[rocksdb.defaultcf]
write-buffer-size = "256KiB"
target-file-size-base = "1MiB"
max-bytes-for-level-base = "1MiB"
max-bytes-for-level-multiplier = 2
level0-file-num-compaction-trigger = 2
block-size = "4KiB"
compression-per-level = ["no", "no", "lz4", "lz4", "lz4", "lz4", "lz4"]
[raft-engine]
target-file-size = "256KiB"
purge-threshold = "1MiB"
[raftstore]
raft-log-gc-count-limit = 500
`;

const { values } = parseArgs({
  options: {
    restarts: { type: "string", default: "20" },
    every: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now()) },
    pds: { type: "string", default: "1" },
  },
});
const restarts = Number(values.restarts);
const every = Number(values.every);
const random = seedrandom(values.seed);
const tally = createTally();

const found = await goClient("client-go", "go.mod");
if ("missing" in found) {
  tally.skipped("kill -9 under load", found.missing);
} else {
  const { client } = found;
  const pds = values.pds === "3" ? 3 : 1;
  await tally.check(`${restarts} restarts after kill -9 lose no acknowledged write`, () =>
    withCluster({ pds, stores: 3, storeConfig: TINY_TREE }, async (cluster, directory) => {
      await storm(client, cluster, join(directory, "outcomes"));
      const nodes = [...cluster.stores, ...cluster.pds];
      await Promise.all(nodes.map((node) => node.kill()));
      for (const { name } of nodes) await verifyFiles(join(directory, name));
    }),
  );
}
tally.end();

async function storm(client: RealClient, cluster: Cluster, file: string): Promise<void> {
  console.log(`# seed ${values.seed}`);
  const writes = startWrites(client, cluster.endpoints, file, "storm", ["--size", "512"]);
  let done = 0;
  try {
    await writes.acknowledge(100, patienceMs);
    for (let round = 1; done < restarts; round += 1) {
      const victims = draw(cluster);
      await Promise.all(victims.map((victim) => victim.kill()));
      await sleep(random() * 1000);
      await Promise.all(victims.map((victim) => victim.start()));
      done += victims.length;
      if (round % every === 0) await proceed(writes, round, done, victims);
      await sleep(random() * 1000);
    }
    const { acknowledged, unknown } = await writes.finish();
    console.log(`# ${done} restarts, ${acknowledged} acknowledged, ${unknown} of unknown outcome`);
  } catch (error) {
    writes.abandon();
    throw error;
  }
  const args = [...client.args, "verify", "--pd", cluster.endpoints, "--file", file];
  const { stdout } = await exec(client.file, args, { timeout: patienceMs });
  console.log(`# ${stdout.trim()}`);
}

/** Some writes must be acknowledged. */
async function proceed(
  writes: WriteStream,
  round: number,
  done: number,
  victims: readonly Node[],
): Promise<void> {
  const took = await writes.acknowledge(100, patienceMs);
  const { acknowledged, unknown } = writes.progress();
  const names = victims.map(({ name }) => name).join(" ");
  console.log(
    `# round ${round}, ${done} restarts: killed ${names}; writes went on after ` +
      `${Math.round(took)} ms; ${acknowledged} acknowledged, ${unknown} unknown`,
  );
}

/** Every checksum and reference of a directory, as the operator's command has it. */
async function verifyFiles(directory: string): Promise<void> {
  const args = [CLI, "ctl", "verify", "--data-dir", directory];
  const { stdout } = await exec(process.execPath, args, { timeout: patienceMs }).catch(
    ({ stdout: said, stderr }: { stdout: string; stderr: string }) => {
      throw new Error(`ctl verify --data-dir ${directory}: ${said}${stderr}`);
    },
  );
  console.log(`# ${directory}: ${stdout.trim().replaceAll("\n", "; ")}`);
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
