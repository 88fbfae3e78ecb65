/** A placement driver and one store in this process, on ports that were free a moment ago. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pdSettings } from "../../runtime/config/pd.ts";
import type { PdFile } from "../../runtime/config/pd.ts";
import { tikvSettings } from "../../runtime/config/tikv.ts";
import type { TikvFile } from "../../runtime/config/tikv.ts";
import type { Logger } from "../../runtime/log.ts";
import type { RunningNode, Started } from "../../runtime/node/node.ts";
import { startPdServer } from "../../runtime/node/pd-server.ts";
import { startTikvServer } from "../../runtime/node/tikv-server.ts";

export interface SmallCluster {
  /** Where the first member of the placement driver serves clients, as `host:port`. */
  readonly pd: string;
  /** Of the store. */
  readonly store: RunningNode;
  /** Ends all and removes what they have written. */
  stop(): Promise<void>;
}

/** What the two configuration files say, and how many members the placement driver has. */
export interface SmallPlan {
  readonly pd?: PdFile;
  readonly tikv?: TikvFile;
  readonly members?: number;
}

const logger: Logger = { log: () => undefined, close: () => undefined };

const failed = (reason: string): void => {
  throw new Error(reason);
};

const node = (started: Started): RunningNode => {
  if (!started.ok) throw new Error(started.detail);
  return started.node;
};

export async function startSmallCluster(plan: SmallPlan = {}): Promise<SmallCluster> {
  const directory = mkdtempSync(join(tmpdir(), "rutile-cluster-"));
  const scheme = plan.pd?.["security.cert-path"] === undefined ? "http" : "https";
  const names = Array.from({ length: plan.members ?? 1 }, (_, i) => `pd${i}`);
  const members: { readonly name: string; readonly client: string; readonly peer: string }[] = [];
  for (const name of names) {
    const [client, peer] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    members.push({ name, client, peer });
  }
  const initialCluster = members.map(({ name, peer }) => `${name}=${scheme}://${peer}`).join(",");
  const nodes: RunningNode[] = [];
  for (const { name, client, peer } of members) {
    const dataDir = join(directory, name);
    const clientUrls = [`${scheme}://${client}`];
    const peerUrls = [`${scheme}://${peer}`];
    const flags = { name, dataDir, clientUrls, peerUrls, initialCluster };
    const seeds = { seed: nodes.length + 1, clusterIdSeed: 1n };
    const settings = pdSettings(flags, plan.pd ?? {}, seeds);
    if (!settings.ok) throw new Error(settings.detail);
    nodes.push(node(await startPdServer(settings.value, logger, failed)));
  }
  const anyPort = { host: "127.0.0.1", port: 0 };
  const pdEndpoints = members.map(({ client }) => `${scheme}://${client}`);
  const dataDir = join(directory, "store");
  const flags = { pdEndpoints, addr: anyPort, statusAddr: anyPort, dataDir };
  const settings = tikvSettings(flags, plan.tikv ?? {}, 1);
  if (!settings.ok) throw new Error(settings.detail);
  const store = node(await startTikvServer(settings.settings, logger, failed));
  nodes.unshift(store);
  const stop = async (): Promise<void> => {
    for (const each of nodes) await each.stop();
    rmSync(directory, { recursive: true });
  };
  return { pd: members[0]?.client ?? "", store, stop };
}

/** Below those that the system gives to outgoing connections, which would take it again. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
