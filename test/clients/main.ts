/**
 * The official clients against three store processes and a placement driver: every raw operation,
 * then a stream of writes through which the leader's process, and after it every process, is
 * killed. A client whose toolchain is missing is skipped by name. Arguments select clients by part
 * of name.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Key } from "../../engine/base/bytes.ts";
import { leaderOf, withCluster } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";
import { findClients } from "./real-client.ts";
import type { RealClient } from "./real-client.ts";
import { createTally } from "./tally.ts";
import { startWrites } from "./write-stream.ts";

const exec = promisify(execFile);
const tally = createTally();
/** An election, the client's back-off, and a slow machine. */
const patienceMs = 60_000;
const wanted = process.argv.slice(2);

for (const found of await findClients()) {
  if (wanted.length > 0 && !wanted.some((part) => found.name.includes(part))) continue;
  if ("missing" in found) {
    tally.skipped(found.name, found.missing);
    continue;
  }
  try {
    await withCluster({ pds: 1, stores: 3 }, async (cluster, directory) => {
      await runOperations(found.client, cluster);
      await killLeader(found.client, cluster, join(directory, "outcomes"));
    });
  } catch (error) {
    tally.failed(found.name, error);
  }
}
tally.end();

/** Every rule that the client checks by itself is one line of its output. */
async function runOperations(client: RealClient, cluster: Cluster): Promise<void> {
  const args = [...client.args, "operations", "--pd", cluster.endpoints];
  const { stdout, stderr } = await exec(client.file, args, { timeout: patienceMs }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  const results = stdout.matchAll(/^(not )?ok (.*)$/gm);
  let seen = 0;
  for (const [, not, title] of results) {
    seen += 1;
    if (not === undefined) tally.passed(`${client.name}: ${title}`);
    else tally.failed(`${client.name}: ${title}`, stderr);
  }
  if (seen === 0) throw new Error(`${client.name} checked nothing: ${stderr}`);
}

async function killLeader(client: RealClient, cluster: Cluster, file: string): Promise<void> {
  const writes = startWrites(client, cluster.endpoints, file, "stream");
  try {
    await writes.acknowledge(500, patienceMs);
    const leader = await leaderOf(cluster, Key("stream"));
    await leader.kill();
    const name = `${client.name}: writes go on after kill -9 of the leader's process`;
    const went = await tally.check(name, async () => {
      const took = await writes.acknowledge(500, patienceMs);
      console.log(`# ${leader.name} killed; 500 more acknowledged after ${Math.round(took)} ms`);
    });
    await leader.start();
    if (went) await writes.acknowledge(500, patienceMs);
    const { acknowledged, unknown } = await writes.finish();
    console.log(`# ${acknowledged} writes acknowledged, ${unknown} of unknown outcome`);
  } catch (error) {
    writes.abandon();
    throw error;
  }
  await tally.check(`${client.name}: no acknowledged write was lost with the leader`, () =>
    verify(client, cluster, file),
  );
  await Promise.all(cluster.stores.map((store) => store.kill()));
  await Promise.all(cluster.stores.map((store) => store.start()));
  await tally.check(`${client.name}: none is lost when every store is killed at once`, () =>
    verify(client, cluster, file),
  );
}

/** The client itself reads back what its stream recorded. */
async function verify(client: RealClient, cluster: Cluster, file: string): Promise<void> {
  const args = [...client.args, "verify", "--pd", cluster.endpoints, "--file", file];
  try {
    const { stdout } = await exec(client.file, args, { timeout: 2 * patienceMs });
    console.log(`# ${stdout.trim()}`);
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${stdout.slice(0, 2000)}${stderr.slice(0, 2000)}`, { cause: error });
  }
}
