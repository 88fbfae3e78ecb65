/**
 * A bank on three stores: a client moves money between accounts in several regions, in every mode
 * of transactions, and reads snapshots meanwhile, while leaders' processes are killed. The client's
 * audit tells at the end whether every acknowledged transfer happened, no refused one did, and the
 * balances are their sum.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Key } from "../../engine/base/bytes.ts";
import { encodeKey } from "../../engine/mvcc/keys.ts";
import { leaderOf } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";
import type { RealClient } from "./real-client.ts";
import type { Tally } from "./tally.ts";
import { startTransfers } from "./write-stream.ts";

const exec = promisify(execFile);
/** An election, the client's back-off, and a slow machine. */
const patienceMs = 90_000;
/** The branches whose leaders are killed, one after the other. */
const KILLS = ["bank/0/account/", "bank/3/account/", "bank/1/account/"];
const TRANSFERS = 60;

/** Runs the bank through its kills; `file` takes the outcomes. */
export async function runBank(
  client: RealClient,
  cluster: Cluster,
  file: string,
  tally: Tally,
): Promise<void> {
  const transfers = startTransfers(client, cluster.endpoints, file);
  try {
    await transfers.acknowledge(TRANSFERS, patienceMs);
    const name = `${client.name}: transfers go on after each kill -9 of a leader's process`;
    await tally.check(name, async () => {
      for (const account of KILLS) {
        const leader = await leaderOf(cluster, encodeKey(Key(account)));
        await leader.kill();
        const took = await transfers.acknowledge(TRANSFERS, patienceMs);
        console.log(`# ${leader.name} killed; ${TRANSFERS} more after ${Math.round(took)} ms`);
        await leader.start();
        await transfers.acknowledge(TRANSFERS, patienceMs);
      }
    });
    await tally.check(`${client.name}: every snapshot under the kills held the total`, async () => {
      const { acknowledged, unknown } = await transfers.finish();
      console.log(`# ${acknowledged} transfers acknowledged, ${unknown} of unknown outcome`);
    });
  } catch (error) {
    transfers.abandon();
    throw error;
  }
  await tally.check(`${client.name}: no acknowledged transfer was lost, nor half of one`, () =>
    audit(client, cluster, file),
  );
  await Promise.all(cluster.stores.map((store) => store.kill()));
  await Promise.all(cluster.stores.map((store) => store.start()));
  await tally.check(`${client.name}: nor is when every store is killed at once`, () =>
    audit(client, cluster, file),
  );
}

async function audit(client: RealClient, cluster: Cluster, file: string): Promise<void> {
  const args = [...client.args, "audit", "--pd", cluster.endpoints, "--file", file];
  try {
    const { stdout } = await exec(client.file, args, { timeout: patienceMs });
    console.log(`# ${stdout.trim()}`);
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${stdout.slice(0, 2000)}${stderr.slice(0, 2000)}`, { cause: error });
  }
}
