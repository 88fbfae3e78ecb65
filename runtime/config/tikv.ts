/**
 * The settings of a store: TiKV's names for what exists here, and defaults where nothing is said.
 */
import { statfsSync } from "node:fs";
import type { StoreConfig } from "../../engine/store/index.ts";
import { formatAddress, isUnspecified, parseAddress } from "../network/address.ts";
import type { Address } from "../network/address.ts";
import type { Level } from "../log.ts";
import type { Values } from "./file.ts";
import type { Label } from "./kinds.ts";
import { LSM_SCHEMA, lsmProblem, lsmSettings } from "./lsm.ts";
import { memoryShares } from "./memory.ts";
import { readSecurity } from "./security.ts";
import type { Security } from "./security.ts";
import type { NodeTls } from "../network/tls.ts";

const STORE_SCHEMA = {
  "log-level": "level",
  "log-file": "text",
  "log.level": "level",
  "log.file.filename": "text",
  "server.addr": "address",
  "server.advertise-addr": "address",
  "server.status-addr": "address",
  "server.advertise-status-addr": "address",
  "server.labels": "labels",
  "storage.data-dir": "text",
  "storage.enable-ttl": "flag",
  "storage.max-key-size": "size",
  "storage.block-cache.capacity": "size",
  "storage.reserve-space": "size",
  "storage.flow-control.l0-files-threshold": "count",
  "storage.flow-control.soft-pending-compaction-bytes-limit": "size",
  "storage.flow-control.hard-pending-compaction-bytes-limit": "size",
  "storage.max-ts.action-on-invalid-update": "action",
  "storage.max-ts.cache-sync-interval": "duration",
  "storage.max-ts.max-drift": "duration",
  "memory-usage-limit": "size",
  "rocksdb.defaultcf.write-buffer-size": "size",
  "gc.batch-keys": "count",
  "gc.enable-compaction-filter": "flag",
  "pd.endpoints": "texts",
  "raftstore.capacity": "size",
  "raftstore.raft-base-tick-interval": "duration",
  "raftstore.raft-heartbeat-ticks": "count",
  "raftstore.raft-election-timeout-ticks": "count",
  "raftstore.raft-store-max-leader-lease": "duration",
  "raftstore.raft-max-size-per-msg": "size",
  "raftstore.raft-max-inflight-msgs": "count",
  "raftstore.raft-entry-max-size": "size",
  "raftstore.raft-log-gc-count-limit": "count",
  "raftstore.pd-heartbeat-tick-interval": "duration",
  "raftstore.pd-store-heartbeat-tick-interval": "duration",
  "raftstore.max-peer-down-duration": "duration",
  "pessimistic-txn.in-memory": "flag",
  "pessimistic-txn.in-memory-peer-size-limit": "size",
  "pessimistic-txn.in-memory-instance-size-limit": "size",
  "pessimistic-txn.pipelined": "flag",
  "pessimistic-txn.wait-for-lock-timeout": "duration",
  "pessimistic-txn.wake-up-delay-duration": "duration",
  "resolved-ts.enable": "flag",
  "resolved-ts.advance-ts-interval": "duration",
  "raft-engine.target-file-size": "size",
  "raft-engine.purge-threshold": "size",
  "security.ca-path": "text",
  "security.cert-path": "text",
  "security.key-path": "text",
  "security.cert-allowed-cn": "texts",
} as const;

export const TIKV_SCHEMA: typeof STORE_SCHEMA & typeof LSM_SCHEMA = {
  ...STORE_SCHEMA,
  ...LSM_SCHEMA,
};

/** What the configuration file says. */
export type TikvFile = Values<typeof TIKV_SCHEMA>;

/** What the flags say; they win over the file. */
export interface TikvFlags {
  readonly pdEndpoints?: readonly string[];
  readonly addr?: Address;
  readonly advertiseAddr?: Address;
  readonly statusAddr?: Address;
  readonly advertiseStatusAddr?: Address;
  readonly dataDir?: string;
  readonly logFile?: string;
  readonly logLevel?: Level;
  readonly labels?: readonly Label[];
  readonly capacity?: number;
}

export interface TikvSettings {
  /** As `host:port`. */
  readonly pdEndpoints: readonly string[];
  readonly addr: Address;
  readonly statusAddr: Address;
  readonly dataDir: string;
  /** For clients, stores and the placement driver. Undefined where nothing is encrypted. */
  readonly tls: NodeTls | undefined;
  readonly logFile: string | undefined;
  readonly logLevel: Level;
  /** Without the addresses, which are known only once the ports are taken. */
  readonly store: (addr: Address, statusAddr: Address) => StoreConfig;
}

/** The version that is told to the placement driver and to clients that look for features. */
export const TIKV_VERSION = "8.5.0";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Settings, or one line that says what is wrong with them. */
export function tikvSettings(
  flags: TikvFlags,
  file: TikvFile,
  seed: number,
): { readonly ok: true; readonly settings: TikvSettings } | { readonly ok: false; detail: string } {
  const addr = flags.addr ?? file["server.addr"] ?? { host: "127.0.0.1", port: 20160 };
  const statusAddr = flags.statusAddr ??
    file["server.status-addr"] ?? { host: "127.0.0.1", port: 20180 };
  const advertised = flags.advertiseAddr ?? file["server.advertise-addr"];
  const advertisedStatus = flags.advertiseStatusAddr ?? file["server.advertise-status-addr"];
  const dataDir = flags.dataDir ?? file["storage.data-dir"] ?? "./";
  const problem = problemOf(advertised ?? addr, file);
  if (problem !== undefined) return { ok: false, detail: problem };
  const security = securityOf(file);
  if (!security.ok) return security;
  const other = security.tls === undefined ? "https://" : "http://";
  const pdEndpoints: string[] = [];
  for (const text of flags.pdEndpoints ?? file["pd.endpoints"] ?? ["127.0.0.1:2379"]) {
    const address = parseAddress(text);
    if (address === undefined) {
      return { ok: false, detail: `--pd-endpoints must be as host:port,..., not ${text}` };
    }
    if (text.startsWith(other)) {
      const is = security.tls === undefined ? "no" : "every";
      return { ok: false, detail: `--pd-endpoints names ${text}: ${is} connection is encrypted` };
    }
    pdEndpoints.push(formatAddress(address));
  }
  const capacity = flags.capacity ?? file["raftstore.capacity"] ?? 0;
  const store = (taken: Address, takenStatus: Address): StoreConfig => ({
    ...storeSettings(file),
    address: formatAddress(advertised ?? taken),
    statusAddress: formatAddress(advertisedStatus ?? takenStatus),
    labels: flags.labels ?? file["server.labels"] ?? [],
    capacityBytes: capacity === 0 ? diskBytes(dataDir) : capacity,
    seed,
  });
  return {
    ok: true,
    settings: {
      pdEndpoints,
      addr,
      statusAddr,
      dataDir,
      tls: security.tls,
      logFile: flags.logFile ?? file["log-file"] ?? file["log.file.filename"],
      logLevel: flags.logLevel ?? file["log-level"] ?? file["log.level"] ?? "info",
      store,
    },
  };
}

const securityOf = (file: TikvFile): Security =>
  readSecurity(
    {
      ca: file["security.ca-path"],
      cert: file["security.cert-path"],
      key: file["security.key-path"],
      allowedNames: file["security.cert-allowed-cn"],
    },
    "ca-path",
  );

const DEFAULT_TICK_MS = 100;
const DEFAULT_ENTRY_BYTES = 8 * MIB;
const MAX_TS_SYNC_MS = 15_000;
const MAX_TS_DRIFT_MS = 60_000;
const DEFAULT_HEARTBEAT_TICKS = 2;
const DEFAULT_ELECTION_TICKS = 10;

/**
 * Of an election timeout, the part that a lease may last: two clocks may drift apart in that time.
 */
const LEASE_PERCENT = 90;

function problemOf(advertised: Address, file: TikvFile): string | undefined {
  if (isUnspecified(advertised)) {
    return `--advertise-addr is needed: others cannot reach ${formatAddress(advertised)}`;
  }
  const heartbeatTicks = file["raftstore.raft-heartbeat-ticks"] ?? DEFAULT_HEARTBEAT_TICKS;
  const electionTicks = file["raftstore.raft-election-timeout-ticks"] ?? DEFAULT_ELECTION_TICKS;
  if (heartbeatTicks === 0 || electionTicks < 2 * heartbeatTicks) {
    return "raftstore.raft-election-timeout-ticks must be at least twice raftstore.raft-heartbeat-ticks, which must be at least 1";
  }
  const tickMs = file["raftstore.raft-base-tick-interval"] ?? DEFAULT_TICK_MS;
  if (tickMs < 10) return "raftstore.raft-base-tick-interval must be at least 10ms";
  const { limit, cache, memtable } = memoryShares(file);
  if (file["memory-usage-limit"] !== undefined && limit < cache + 5 * memtable) {
    return "memory-usage-limit must hold storage.block-cache.capacity and five of rocksdb.defaultcf.write-buffer-size";
  }
  const lease = file["raftstore.raft-store-max-leader-lease"];
  if (lease !== undefined && lease * 100 > electionTicks * tickMs * LEASE_PERCENT) {
    return `raftstore.raft-store-max-leader-lease must be at most ${LEASE_PERCENT}% of the election timeout`;
  }
  const locks = file["pessimistic-txn.in-memory-peer-size-limit"] ?? 0;
  if (locks > (file["raftstore.raft-entry-max-size"] ?? DEFAULT_ENTRY_BYTES)) {
    return "pessimistic-txn.in-memory-peer-size-limit must be at most raftstore.raft-entry-max-size: the locks are handed over in one entry";
  }
  const drift = file["storage.max-ts.max-drift"] ?? MAX_TS_DRIFT_MS;
  if (drift <= (file["storage.max-ts.cache-sync-interval"] ?? MAX_TS_SYNC_MS)) {
    return "storage.max-ts.max-drift must be greater than storage.max-ts.cache-sync-interval";
  }
  return lsmProblem(file);
}

type StoreSettings = Omit<
  StoreConfig,
  "address" | "statusAddress" | "labels" | "capacityBytes" | "seed"
>;

function storeSettings(file: TikvFile): StoreSettings {
  const tickMs = file["raftstore.raft-base-tick-interval"] ?? DEFAULT_TICK_MS;
  const heartbeatTicks = file["raftstore.raft-heartbeat-ticks"] ?? DEFAULT_HEARTBEAT_TICKS;
  const electionMs =
    tickMs * (file["raftstore.raft-election-timeout-ticks"] ?? DEFAULT_ELECTION_TICKS);
  const appendBytes = file["raftstore.raft-max-size-per-msg"] ?? MIB;
  const maxEntryBytes = file["raftstore.raft-entry-max-size"] ?? DEFAULT_ENTRY_BYTES;
  const leaseMs =
    file["raftstore.raft-store-max-leader-lease"] ?? (electionMs * LEASE_PERCENT) / 100;
  const { limit: memoryBytes, cache: cacheBytes, memtable: memtableBytes } = memoryShares(file);
  return {
    version: TIKV_VERSION,
    tickMs: Math.min(50, tickMs),
    storeHeartbeatMs: file["raftstore.pd-store-heartbeat-tick-interval"] ?? 3000,
    regionHeartbeatMs: file["raftstore.pd-heartbeat-tick-interval"] ?? 3000,
    resolveMs:
      file["resolved-ts.enable"] === false
        ? 0
        : (file["resolved-ts.advance-ts-interval"] ?? 20_000),
    collection: {
      pollMs: 10_000,
      sweepRecords: file["gc.batch-keys"] ?? 512,
      inCompactions: file["gc.enable-compaction-filter"] ?? true,
    },
    memtableBytes,
    cacheBytes,
    throttle: {
      softFrozenBytes: 2 * memtableBytes,
      hardFrozenBytes: 5 * memtableBytes,
      softTables: file["storage.flow-control.l0-files-threshold"] ?? 12,
      hardTables: 3 * (file["storage.flow-control.l0-files-threshold"] ?? 12),
      softDebtBytes: file["storage.flow-control.soft-pending-compaction-bytes-limit"] ?? 512 * MIB,
      hardDebtBytes: file["storage.flow-control.hard-pending-compaction-bytes-limit"] ?? 4096 * MIB,
      bytesPerSecond: 32 * MIB,
      lineBytes: 4 * MIB,
      lineMs: 2000,
      memoryBytes,
      reserveBytes: file["storage.reserve-space"] ?? 256 * MIB,
    },
    freezeLogBytes: file["raft-engine.purge-threshold"] ?? 128 * MIB,
    pessimistic: {
      inMemory: file["pessimistic-txn.in-memory"] ?? true,
      regionBytes: file["pessimistic-txn.in-memory-peer-size-limit"] ?? 512 * KIB,
      storeBytes: file["pessimistic-txn.in-memory-instance-size-limit"] ?? 100 * MIB,
      pipelined: file["pessimistic-txn.pipelined"] ?? true,
      waitMs: file["pessimistic-txn.wait-for-lock-timeout"] ?? 1000,
      wakeDelayMs: file["pessimistic-txn.wake-up-delay-duration"] ?? 20,
    },
    maxTs: {
      action: file["storage.max-ts.action-on-invalid-update"] ?? "error",
      syncMs: file["storage.max-ts.cache-sync-interval"] ?? MAX_TS_SYNC_MS,
      driftMs: file["storage.max-ts.max-drift"] ?? MAX_TS_DRIFT_MS,
    },
    region: {
      raft: {
        heartbeatMs: tickMs * heartbeatTicks,
        electionMs,
        leaseMs: Math.floor(leaseMs),
        preVote: true,
        checkQuorum: true,
        priority: 0,
        maxAppendBytes: appendBytes,
        maxApplyBytes: 4 * MIB,
        maxInflightMessages: file["raftstore.raft-max-inflight-msgs"] ?? 256,
        maxInflightBytes: 16 * MIB,
        maxUncommittedBytes: 64 * MIB,
      },
      raw: { ttlEnabled: file["storage.enable-ttl"] ?? false },
      maxKeyBytes: file["storage.max-key-size"] ?? 8 * KIB,
      maxEntryBytes,
      batchBytes: 256 * KIB,
      chunkBytes: MIB,
      chunkRetryMs: 1000,
      snapshotGiveUpMs: 30_000,
      readTimeoutMs: Math.max(2000, 2 * electionMs),
      downAfterMs: file["raftstore.max-peer-down-duration"] ?? 600_000,
      retainedEntries: file["raftstore.raft-log-gc-count-limit"] ?? 10_000,
    },
    storage: {
      segmentBytes: file["raft-engine.target-file-size"] ?? 32 * MIB,
      sliceBytes: 256 * KIB,
      lsm: lsmSettings(file, memtableBytes),
    },
  };
}

/** What the file system of `directory` holds in all, or its nearest existing parent's. */
function diskBytes(directory: string): number {
  for (const candidate of [directory, "."]) {
    try {
      const { bsize, blocks } = statfsSync(candidate);
      return bsize * blocks;
    } catch {
      // Not made yet.
    }
  }
  return 0;
}
