/**
 * The garbage collection's worker. It runs in the member that leads the placement driver, of which
 * there is one at most. It is a client like any other; when leadership moves in the middle of a
 * round, the next leader begins another.
 */
import { Cluster } from "../../engine/client/cluster.ts";
import { collect } from "../../engine/client/collector.ts";
import type { CollectionPlan } from "../../engine/client/collector.ts";
import { ClientError } from "../../engine/client/errors.ts";
import { chance, GrpcTransport, MonotonicClock } from "../client/transport.ts";
import type { Logger } from "../log.ts";
import { clientTls } from "../network/tls.ts";
import type { NodeTls } from "../network/tls.ts";

export interface CollectorHost {
  /** Whether this member leads a cluster that there is something to collect in. */
  readonly leads: () => boolean;
  /** Where this member serves clients, as `host:port`. */
  readonly endpoints: readonly string[];
  /** Undefined where nothing is encrypted. */
  readonly tls: NodeTls | undefined;
  readonly plan: CollectionPlan;
  readonly logger: Logger;
}

export interface Collector {
  stop(): Promise<void>;
}

/** It is asked so many times in an interval whether it is time. */
const CHECKS_PER_INTERVAL = 20;
const MOST_BETWEEN_MS = 10_000;

/** Collects while this member leads, until it is stopped. */
export function startCollector(host: CollectorHost): Collector {
  const { leads, endpoints, tls, plan, logger } = host;
  const transport = new GrpcTransport(tls && clientTls(tls));
  const clock = new MonotonicClock();
  const ports = { transport, clock, random: chance, log: undefined };
  const cluster = new Cluster(ports, endpoints, "transactional");
  const betweenMs = Math.min(MOST_BETWEEN_MS, plan.intervalMs / CHECKS_PER_INTERVAL);
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(betweenMs, signal);
      if (signal.aborted) return;
      if (leads()) await collectOnce(cluster, plan, leads, signal, logger);
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      transport.close();
      await running;
    },
  };
}

async function collectOnce(
  cluster: Cluster,
  plan: CollectionPlan,
  leads: () => boolean,
  stopping: AbortSignal,
  logger: Logger,
): Promise<void> {
  const round = new AbortController();
  // Another leads by now: it is for that one to say how far versions go.
  const watch = setInterval(() => (leads() ? undefined : round.abort()), 1000);
  try {
    const signal = AbortSignal.any([stopping, round.signal]);
    const done = await collect(cluster, plan, signal);
    if (done === undefined) return;
    const { points, target, oldest, cleared } = done;
    logger.log("info", "moved the safe points", {
      transactions: points.transaction,
      garbage: points.garbage,
      target,
      oldest_running: oldest ?? "none",
      cleared_locks: cleared,
    });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.reason === "cancelled") return;
    logger.log("warn", "garbage was not collected", { because: error.message });
  } finally {
    clearInterval(watch);
  }
}
