/**
 * The official clients against three store processes and a placement driver: every raw operation,
 * then a stream of writes through which the leader's process, and after it every process, is
 * killed; on a cluster of its own, as raw and transactional keys do not mix, every rule of
 * transactions, and a bank that is treated no better. A client whose toolchain is missing is
 * skipped by name. Arguments select clients by part of name.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { splitAt } from "../../bench/cluster/split.ts";
import { Key } from "../../engine/base/bytes.ts";
import { runBank } from "./bank.ts";
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
/** Where regions begin for the rules, which look at both sides of "m", and for the bank. */
const BOUNDS = ["bank/1", "bank/2", "bank/3", "rust/m"].map(Key);
/** Rust's client does not end a raw scan in the last region, but begins again from the first. */
const RAW_BOUNDS = ["rust0"].map(Key);

for (const found of await findClients()) {
  if (wanted.length > 0 && !wanted.some((part) => found.name.includes(part))) continue;
  if ("missing" in found) {
    tally.skipped(found.name, found.missing);
    continue;
  }
  try {
    await runRaw(found.client);
    if (found.client.transactions !== "none") await runTransactional(found.client);
  } catch (error) {
    tally.failed(found.name, error);
  }
}
tally.end();

async function runRaw(client: RealClient): Promise<void> {
  const begun = performance.now();
  await withCluster({ pds: 1, stores: 3 }, async (cluster, directory) => {
    if (client.transactions === "split") await splitAt(cluster, RAW_BOUNDS, true);
    await runRules(client, "operations", cluster);
    await killLeader(client, cluster, join(directory, "outcomes"));
  });
  console.log(`# raw keys with ${client.name}: ${secondsSince(begun)}`);
}

async function runTransactional(client: RealClient): Promise<void> {
  const { storeConfig } = client;
  const begun = performance.now();
  await withCluster({ pds: 1, stores: 3, storeConfig }, async (cluster, directory) => {
    if (client.transactions === "split") await splitAt(cluster, BOUNDS, false);
    await runRules(client, "transactions", cluster);
    await runBank(client, cluster, join(directory, "outcomes"), tally);
  });
  console.log(`# transactions with ${client.name}: ${secondsSince(begun)}`);
}

function secondsSince(begun: number): string {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`;
}

/** Every rule that the client checks by itself is one line of its output. */
async function runRules(
  client: RealClient,
  subcommand: "operations" | "transactions",
  cluster: Cluster,
): Promise<void> {
  const args = [...client.args, subcommand, "--pd", cluster.endpoints];
  const ended = await exec(client.file, args, { timeout: 3 * patienceMs }).catch(
    (error: { stdout: string; stderr: string; code: number | string | null }) => error,
  );
  const { stdout, stderr } = ended;
  let seen = 0;
  let broken = 0;
  for (const [, not, title] of stdout.matchAll(/^(not )?ok (.*)$/gm)) {
    seen += 1;
    if (not === undefined) {
      tally.passed(`${client.name}: ${title}`);
    } else {
      broken += 1;
      tally.failed(`${client.name}: ${title}`, stderr);
    }
  }
  const code = "code" in ended ? ended.code : 0;
  if (seen === 0 || (code !== 0 && broken === 0)) {
    throw new Error(`${client.name} ended with ${code} after ${seen} rules: ${stderr}`);
  }
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
