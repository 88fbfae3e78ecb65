/**
 * The settings of a placement member: PD's names for what exists here, and defaults where nothing
 * is said.
 */
import { createHash } from "node:crypto";
import { PeerId } from "../../engine/base/ids.ts";
import { DEFAULT_PLAN } from "../../engine/client/collector.ts";
import type { CollectionPlan } from "../../engine/client/collector.ts";
import { DEFAULT_CONFIG } from "../../engine/placement/index.ts";
import type { Member, PlacementConfig } from "../../engine/placement/index.ts";
import { formatAddress, isUnspecified, parseAddress } from "../network/address.ts";
import type { Address } from "../network/address.ts";
import type { Level } from "../log.ts";
import type { NodeTls } from "../network/tls.ts";
import type { Values } from "./file.ts";
import { readSecurity } from "./security.ts";
import type { Security } from "./security.ts";

export const PD_SCHEMA = {
  name: "text",
  "data-dir": "text",
  "client-urls": "texts",
  "advertise-client-urls": "texts",
  "peer-urls": "texts",
  "advertise-peer-urls": "texts",
  "initial-cluster": "text",
  "tso-save-interval": "duration",
  "election-interval": "duration",
  "tick-interval": "duration",
  "log-level": "level",
  "log-file": "text",
  "log.level": "level",
  "log.file.filename": "text",
  "gc.enable": "flag",
  "gc.run-interval": "duration",
  "gc.life-time": "duration",
  "replication.max-replicas": "count",
  "schedule.max-store-down-time": "duration",
  "security.cacert-path": "text",
  "security.cert-path": "text",
  "security.key-path": "text",
  "security.cert-allowed-cn": "texts",
} as const;

/** What the configuration file says. */
export type PdFile = Values<typeof PD_SCHEMA>;

/** Between moves of the safe point, and behind now, at the least. */
const LEAST_GC_MS = 1000;
/** A window of timestamps is stored once a tick: shorter ones make the oracle slow. */
const LEAST_WINDOW_MS = 200;

/** What the flags say; they win over the file. */
export interface PdFlags {
  readonly name?: string;
  readonly dataDir?: string;
  readonly clientUrls?: readonly string[];
  readonly advertiseClientUrls?: readonly string[];
  readonly peerUrls?: readonly string[];
  readonly advertisePeerUrls?: readonly string[];
  readonly initialCluster?: string;
  readonly logFile?: string;
  readonly logLevel?: Level;
}

export interface PdSettings {
  readonly name: string;
  readonly dataDir: string;
  readonly clientListen: readonly Address[];
  readonly peerListen: readonly Address[];
  readonly clientUrls: readonly string[];
  /** For everybody: clients, stores and members. Undefined where nothing is encrypted. */
  readonly tls: NodeTls | undefined;
  readonly logFile: string | undefined;
  readonly logLevel: Level;
  readonly placement: PlacementConfig;
  /** How this member collects garbage while it leads; undefined: not at all. */
  readonly collection: CollectionPlan | undefined;
}

type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: string };

/** Numbers that must differ between members and between clusters. */
export interface Seeds {
  readonly seed: number;
  readonly clusterIdSeed: bigint;
}

/** Settings, or one line that says what is wrong with them. */
export function pdSettings(flags: PdFlags, file: PdFile, seeds: Seeds): Result<PdSettings> {
  const name = flags.name ?? file["name"] ?? "pd";
  const security = securityOf(file);
  if (!security.ok) return security;
  const scheme = security.tls === undefined ? "http" : "https";
  const clientUrls = flags.clientUrls ?? file["client-urls"] ?? [`${scheme}://127.0.0.1:2379`];
  const peerUrls = flags.peerUrls ?? file["peer-urls"] ?? [`${scheme}://127.0.0.1:2380`];
  const clientAdvertised = flags.advertiseClientUrls ?? file["advertise-client-urls"] ?? clientUrls;
  const peerAdvertised = flags.advertisePeerUrls ?? file["advertise-peer-urls"] ?? peerUrls;

  const clientListen = readUrls("--client-urls", clientUrls, false, scheme);
  if (!clientListen.ok) return clientListen;
  const peerListen = readUrls("--peer-urls", peerUrls, false, scheme);
  if (!peerListen.ok) return peerListen;
  const clientReach = readUrls("--advertise-client-urls", clientAdvertised, true, scheme);
  if (!clientReach.ok) return clientReach;
  const peerReach = readUrls("--advertise-peer-urls", peerAdvertised, true, scheme);
  if (!peerReach.ok) return peerReach;

  const initial =
    flags.initialCluster ??
    file["initial-cluster"] ??
    peerReach.value.map((address) => `${name}=${scheme}://${formatAddress(address)}`).join(",");
  const own = clientReach.value.map((address) => `${scheme}://${formatAddress(address)}`);
  const members = readMembers(initial, name, own, scheme);
  if (!members.ok) return members;

  const id = memberId(name);
  const electionMs = file["election-interval"] ?? DEFAULT_CONFIG.raft.electionMs;
  const heartbeatMs = file["tick-interval"] ?? DEFAULT_CONFIG.raft.heartbeatMs;
  if (electionMs < 2 * heartbeatMs) {
    return { ok: false, detail: "election-interval must be at least twice tick-interval" };
  }
  const leaseMs = Math.min(DEFAULT_CONFIG.raft.leaseMs, Math.floor(electionMs * 0.8));
  const maxReplicas = file["replication.max-replicas"] ?? DEFAULT_CONFIG.maxReplicas;
  if (maxReplicas === 0)
    return { ok: false, detail: "replication.max-replicas must be at least 1" };
  const windowMs = file["tso-save-interval"] ?? DEFAULT_CONFIG.windowMs;
  if (windowMs < LEAST_WINDOW_MS) {
    return { ok: false, detail: `tso-save-interval must be at least ${LEAST_WINDOW_MS}ms` };
  }
  const intervalMs = file["gc.run-interval"] ?? DEFAULT_PLAN.intervalMs;
  const lifeTimeMs = file["gc.life-time"] ?? DEFAULT_PLAN.lifeTimeMs;
  if (intervalMs < LEAST_GC_MS || lifeTimeMs < LEAST_GC_MS) {
    return { ok: false, detail: "gc.run-interval and gc.life-time must be at least 1s" };
  }
  return {
    ok: true,
    value: {
      name,
      dataDir: flags.dataDir ?? file["data-dir"] ?? `default.${name}`,
      clientListen: clientListen.value,
      peerListen: peerListen.value,
      clientUrls: own,
      tls: security.tls,
      logFile: flags.logFile ?? file["log-file"] ?? file["log.file.filename"],
      logLevel: flags.logLevel ?? file["log-level"] ?? file["log.level"] ?? "info",
      placement: {
        ...DEFAULT_CONFIG,
        ...seeds,
        id,
        members: members.value,
        raft: { ...DEFAULT_CONFIG.raft, electionMs, heartbeatMs, leaseMs },
        windowMs,
        maxReplicas,
        storeDownMs: file["schedule.max-store-down-time"] ?? DEFAULT_CONFIG.storeDownMs,
      },
      collection:
        file["gc.enable"] === false ? undefined : { ...DEFAULT_PLAN, intervalMs, lifeTimeMs },
    },
  };
}

/** A member keeps its id for life, wherever it moves: 48 bits of a digest of its name. */
export function memberId(name: string): PeerId {
  const digest = createHash("sha256").update(`rutile placement member ${name}`).digest();
  return PeerId(digest.readUIntBE(0, 6) || 1);
}

type Scheme = "http" | "https";

const securityOf = (file: PdFile): Security =>
  readSecurity(
    {
      ca: file["security.cacert-path"],
      cert: file["security.cert-path"],
      key: file["security.key-path"],
      allowedNames: file["security.cert-allowed-cn"],
    },
    "cacert-path",
  );

function readUrls(
  flag: string,
  urls: readonly string[],
  reachable: boolean,
  scheme: Scheme,
): Result<readonly Address[]> {
  const addresses: Address[] = [];
  for (const url of urls) {
    const address = url.startsWith(`${scheme}://`) ? parseAddress(url) : undefined;
    if (address === undefined) {
      return { ok: false, detail: `${flag} must be a URL as ${scheme}://host:port, not ${url}` };
    }
    if (reachable && isUnspecified(address)) {
      return { ok: false, detail: `${flag} is needed: others cannot reach ${url}` };
    }
    addresses.push(address);
  }
  return { ok: true, value: addresses };
}

/** `a=http://...:2380,b=http://...:2380`; a name may come more than once, with each of its URLs. */
function readMembers(
  initial: string,
  self: string,
  clientUrls: readonly string[],
  scheme: Scheme,
): Result<readonly Member[]> {
  const urls = new Map<string, string[]>();
  for (const part of initial.split(",")) {
    const match = /^([^=\s]+)=(https?):(\/\/\S+)$/.exec(part.trim());
    const address = match?.[2] === scheme ? parseAddress(`${scheme}:${match[3] ?? ""}`) : undefined;
    if (match === null || address === undefined) {
      const detail = `--initial-cluster must be as name=${scheme}://host:port,..., not ${part}`;
      return { ok: false, detail };
    }
    const name = match[1] ?? "";
    urls.set(name, [...(urls.get(name) ?? []), `${scheme}://${formatAddress(address)}`]);
  }
  if (!urls.has(self)) {
    return { ok: false, detail: `--initial-cluster does not name this member, ${self}` };
  }
  const members = [...urls].map(([name, peerUrls]) => ({
    id: memberId(name),
    name,
    peerUrls,
    clientUrls: name === self ? clientUrls : [],
  }));
  return { ok: true, value: members.sort((a, b) => a.id - b.id) };
}
