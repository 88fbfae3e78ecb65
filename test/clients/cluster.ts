/**
 * Clusters of separate processes for tests that kill them: what `bench/cluster` starts, in a
 * directory of its own, and the means to find who leads.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../../bench/cluster/processes.ts";
import { regionOf } from "../../bench/cluster/region.ts";
import { startCluster } from "../../bench/cluster/rutile.ts";
import type { Cluster, ClusterPlan, Node } from "../../bench/cluster/rutile.ts";
import type { Key } from "../../engine/base/bytes.ts";

export type { Cluster, Node };

/**
 * Runs `body` with a started cluster and stops it whatever happens. The directory, with every data
 * directory and log, is removed afterwards unless `body` threw: then the error names it.
 */
export async function withCluster(
  nodes: Pick<ClusterPlan, "pds" | "stores" | "storeConfig">,
  body: (cluster: Cluster, directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rutile-clients-"));
  const cluster = await startCluster({ directory, ...nodes });
  try {
    await body(cluster, directory);
  } catch (error) {
    throw new Error(`data and logs are kept in ${directory}`, { cause: error });
  } finally {
    await cluster.stop();
  }
  rmSync(directory, { recursive: true });
}

/** The store that leads the region of `key` by PD's account, once there is one that runs. */
export async function leaderOf(cluster: Cluster, key: Key): Promise<Node> {
  let found: Node | undefined;
  await waitFor(`PD knows the leader of ${key}`, 30_000, async () => {
    for (const pd of cluster.pds) {
      const address = (await regionOf(pd.address, key))?.leader;
      if (address !== undefined) found = cluster.storeAt(address);
      if (found?.pid() !== undefined) return true;
    }
    return false;
  });
  return found!;
}
