/** The load of the network benchmark, the same for every simulator. */

/** Nodes of the cluster; the peers' sources say the same. */
export const NODES = 5;

/** How long a message may be on its way; turmoil and madsim are told the same. */
export const MIN_LATENCY_US = 1000;
export const MAX_LATENCY_US = 10_000;

export interface Load {
  /** Requests that each node has in flight. */
  readonly window: number;
  /** Bytes of a payload. */
  readonly payload: number;
  /** Messages that are delivered before the measured ones. */
  readonly warmUp: number;
  readonly messages: number;
  readonly seed: number;
}

/** What a simulator made of it. */
export interface Figure {
  /** Messages that were delivered while it was measured. */
  readonly messages: number;
  /** User and system time of its process meanwhile, in microseconds. */
  readonly cpuUs: number;
}

export const perSecond = ({ messages, cpuUs }: Figure): number => (messages * 1_000_000) / cpuUs;
