/**
 * The playground: a placement driver and some stores on this machine, each a process of its own
 * with its data and log below one directory, which is kept between runs.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startNode } from "./node-process.ts";
import type { NodeProcess } from "./node-process.ts";

export interface PlaygroundPlan {
  readonly directory: string;
  readonly stores: number;
  readonly ports: Ports;
}

/** Every node listens on the loopback interface only. */
export interface Ports {
  readonly client: number;
  readonly peer: number;
  /** The first store's; the others' follow. */
  readonly store: number;
  readonly status: number;
}

/** Those that PD and TiKV use by themselves. */
export const USUAL_PORTS: Ports = { client: 2379, peer: 2380, store: 20160, status: 20180 };

/** All ports from `base` on, one behind the other. */
export const portsFrom = (base: number, stores: number): Ports => ({
  client: base,
  peer: base + 1,
  store: base + 2,
  status: base + 2 + stores,
});

/** A step of the way that could not be taken; the message is a sentence for people. */
export class PlaygroundFailure extends Error {}

/** How many replicas a region gets, where there are enough stores. */
const REPLICAS = 3;
const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

export class Playground {
  readonly plan: PlaygroundPlan;
  /** Whether the directory was there before. */
  readonly kept: boolean;
  readonly #nodes: NodeProcess[] = [];
  #stopping = false;
  /** Told of a node that ended by itself while the playground was serving. */
  onLoss: ((node: NodeProcess) => void) | undefined;

  constructor(plan: PlaygroundPlan) {
    this.plan = plan;
    this.kept = existsSync(join(plan.directory, "pd"));
    mkdirSync(plan.directory, { recursive: true });
  }

  get pdAddress(): string {
    return `127.0.0.1:${this.plan.ports.client}`;
  }

  get storeAddresses(): readonly string[] {
    return this.#each((i) => `127.0.0.1:${this.plan.ports.store + i}`);
  }

  get statusAddresses(): readonly string[] {
    return this.#each((i) => `127.0.0.1:${this.plan.ports.status + i}`);
  }

  /** Starts the placement driver and waits for its leader, then starts the stores. */
  async start(): Promise<void> {
    const { directory, ports } = this.plan;
    this.#start("pd", [
      "pd-server",
      "--name=pd",
      `--data-dir=${join(directory, "pd")}`,
      `--client-urls=http://${this.pdAddress}`,
      `--peer-urls=http://127.0.0.1:${ports.peer}`,
      `--log-file=${join(directory, "pd")}.log`,
    ]);
    await this.#until("the placement driver elects a leader", async () =>
      this.#listening() && (await this.#get("/health")) !== undefined ? true : undefined,
    );
    for (const [i, address] of this.storeAddresses.entries()) {
      const name = `store-${i + 1}`;
      this.#start(name, [
        "tikv-server",
        `--pd-endpoints=${this.pdAddress}`,
        `--addr=${address}`,
        `--status-addr=${this.statusAddresses[i] ?? ""}`,
        `--data-dir=${join(directory, name)}`,
        `--log-file=${join(directory, name)}.log`,
      ]);
    }
  }

  /** Waits until every region has all its replicas; returns their stores, region by region. */
  replicated(): Promise<readonly RegionReplicas[]> {
    const wanted = Math.min(REPLICAS, this.plan.stores);
    return this.#until(`every region has ${wanted} replicas`, async () => {
      if (!this.#listening()) return undefined;
      const regions = readRegions(await this.#get("/pd/api/v1/regions"));
      const done = ({ leader, voters }: RegionReplicas): boolean =>
        leader !== undefined && voters.length >= wanted;
      return regions.length > 0 && regions.every(done) ? regions : undefined;
    });
  }

  /**
   * Stores first, as they still have something to tell. False where a node did not end by itself.
   */
  async stop(): Promise<boolean> {
    this.#stopping = true;
    const [pd, ...stores] = this.#nodes;
    const clean = await Promise.all(stores.map((node) => node.stop()));
    clean.push((await pd?.stop()) ?? true);
    return clean.every(Boolean);
  }

  #each(address: (index: number) => string): readonly string[] {
    return Array.from({ length: this.plan.stores }, (_, i) => address(i));
  }

  #start(name: string, args: readonly string[]): void {
    const node = startNode(name, args, (ended) => {
      if (!this.#stopping) this.onLoss?.(ended);
    });
    this.#nodes.push(node);
  }

  #listening(): boolean {
    return this.#nodes.every((node) => node.listening());
  }

  async #until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadline) {
      if (this.#stopping) throw new PlaygroundFailure("the playground was stopped");
      for (const node of this.#nodes) {
        const ended = node.ended();
        if (ended !== undefined) throw new PlaygroundFailure(`${node.name}: ${ended}`);
      }
      const found = await look();
      if (found !== undefined) return found;
      await sleep(LOOK_EVERY_MS);
    }
    const seconds = READY_WITHIN_MS / 1000;
    throw new PlaygroundFailure(
      `${what}: not within ${seconds} seconds; the logs in ${this.plan.directory} say more`,
    );
  }

  /** A page of the placement driver; undefined while it does not answer with 200. */
  async #get(path: string): Promise<unknown> {
    try {
      const response = await fetch(`http://${this.pdAddress}${path}`, {
        signal: AbortSignal.timeout(1000),
      });
      const page: unknown = await response.json();
      return response.ok ? page : undefined;
    } catch {
      // It is starting.
      return undefined;
    }
  }
}

export interface RegionReplicas {
  readonly region: number;
  /** Stores of the voters that keep up with the leader. */
  readonly voters: readonly number[];
  /** The leader's store. */
  readonly leader: number | undefined;
}

interface PeerPage {
  readonly store_id: number;
  readonly role: number;
}

interface RegionsPage {
  readonly regions: readonly {
    readonly id: number;
    readonly peers: readonly PeerPage[];
    readonly pending_peers: readonly PeerPage[];
    readonly leader: PeerPage | null;
  }[];
}

/** A voter's `role` in `metapb.Peer`. */
const VOTER = 0;

function readRegions(page: unknown): readonly RegionReplicas[] {
  // The page is our own, written by `placement-status.ts`.
  const { regions } = (page ?? { regions: [] }) as RegionsPage;
  return regions.map(({ id, peers, pending_peers: pending, leader }) => ({
    region: id,
    voters: peers
      .filter(({ role, store_id: store }) => {
        return role === VOTER && pending.every((peer) => peer.store_id !== store);
      })
      .map(({ store_id: store }) => store),
    leader: leader?.store_id,
  }));
}
