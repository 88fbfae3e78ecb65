/** A placement driver and one store in this process, on ports that were free a moment ago. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pdSettings } from "../../runtime/config/pd.ts";
import type { PdFile } from "../../runtime/config/pd.ts";
import { tikvSettings } from "../../runtime/config/tikv.ts";
import type { TikvFile } from "../../runtime/config/tikv.ts";
import type { Logger } from "../../runtime/log.ts";
import type { RunningNode, Started } from "../../runtime/node.ts";
import { startPdServer } from "../../runtime/pd-server.ts";
import { startTikvServer } from "../../runtime/tikv-server.ts";

export interface SmallCluster {
  /** Of the placement driver, as `host:port`. */
  readonly pd: string;
  /** Of the store. */
  readonly store: RunningNode;
  /** Ends both and removes what they have written. */
  stop(): Promise<void>;
}

/** What the two configuration files say. */
export interface SmallFiles {
  readonly pd?: PdFile;
  readonly tikv?: TikvFile;
}

const logger: Logger = { log: () => undefined, close: () => undefined };

const failed = (reason: string): void => {
  throw new Error(reason);
};

const node = (started: Started): RunningNode => {
  if (!started.ok) throw new Error(started.detail);
  return started.node;
};

export async function startSmallCluster(files: SmallFiles = {}): Promise<SmallCluster> {
  const directory = mkdtempSync(join(tmpdir(), "rutile-cluster-"));
  const scheme = "http";
  const [client, peer] = [await freePort(), await freePort()];
  const pd = `127.0.0.1:${client}`;
  const driver = pdSettings(
    {
      dataDir: join(directory, "pd"),
      clientUrls: [`${scheme}://${pd}`],
      peerUrls: [`${scheme}://127.0.0.1:${peer}`],
    },
    files.pd ?? {},
    { seed: 1, clusterIdSeed: 1n },
  );
  if (!driver.ok) throw new Error(driver.detail);
  const anyPort = { host: "127.0.0.1", port: 0 };
  const store = tikvSettings(
    {
      pdEndpoints: [`${scheme}://${pd}`],
      addr: anyPort,
      statusAddr: anyPort,
      dataDir: join(directory, "store"),
    },
    files.tikv ?? {},
    1,
  );
  if (!store.ok) throw new Error(store.detail);
  const nodes = [node(await startPdServer(driver.value, logger, failed))];
  const running = node(await startTikvServer(store.settings, logger, failed));
  nodes.unshift(running);
  const stop = async (): Promise<void> => {
    for (const each of nodes) await each.stop();
    rmSync(directory, { recursive: true });
  };
  return { pd, store: running, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
