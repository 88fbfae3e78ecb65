/**
 * A member of the placement driver as a process: the engine's placement machine between its disk,
 * the other members, and its clients, which speak gRPC and HTTP on one port.
 */
import type { Socket } from "node:net";
import { unreachable } from "../../engine/base/assert.ts";
import type { PeerId } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import * as engine from "../../engine/placement/index.ts";
import type {
  PlacementCall,
  PlacementEffect,
  PlacementInput,
  PlacementReply,
  PlacementState,
} from "../../engine/placement/index.ts";
import {
  ETCD_CLUSTER_SERVICE,
  ETCD_KV_SERVICE,
  HEALTH_SERVICE,
  KEYSPACE_SERVICE,
  META_STORAGE_SERVICE,
  PD_SERVICE,
} from "../../engine/protocol/services.ts";
import { parseAddress } from "../network/address.ts";
import type { Address } from "../network/address.ts";
import { readClocks } from "../clock.ts";
import type { PdSettings } from "../config/pd.ts";
import { listen } from "../network/demux.ts";
import type { Listener, Protocols } from "../network/demux.ts";
import { openDisk } from "../files/disk.ts";
import type { FileDisk } from "../files/disk.ts";
import { startCollector } from "./collector.ts";
import type { Collector } from "./collector.ts";
import { createDriver } from "./driver.ts";
import type { Driver } from "./driver.ts";
import { createGrpcServer } from "../grpc/server.ts";
import type { GrpcServer } from "../grpc/server.ts";
import { createHealth } from "../service/health.ts";
import type { Health } from "../service/health.ts";
import { createHttpServer } from "../status/http.ts";
import type { HttpServer } from "../status/http.ts";
import type { Logger } from "../log.ts";
import { createMemberDirectory, MEMBER_PATH, memberAnswer } from "../network/member-directory.ts";
import type { MemberDirectory } from "../network/member-directory.ts";
import { LatencyTable } from "../metrics/latency.ts";
import { createTransport } from "../network/network.ts";
import type { Transport } from "../network/network.ts";
import { DRAIN_MS, describeError, logEffect } from "./node.ts";
import type { Failed, Started } from "./node.ts";
import { placementRoutes } from "../status/placement-status.ts";
import { Requests } from "./requests.ts";
import { createServiceHandler, methodName } from "../service/handler.ts";
import type { NodeTls } from "../network/tls.ts";

const MAX_MESSAGE_BYTES = 16 << 20;
const TICK_MS = 50;

export async function startPdServer(
  settings: PdSettings,
  logger: Logger,
  failed: Failed,
): Promise<Started> {
  const opened = openDisk(settings.dataDir);
  if (!opened.ok) return opened;
  const started = await startOnDisk(settings, opened.disk, logger, failed);
  if (!started.ok) await opened.disk.close();
  return started;
}

async function startOnDisk(
  settings: PdSettings,
  disk: FileDisk,
  logger: Logger,
  failed: Failed,
): Promise<Started> {
  const machine = engine.open(disk, settings.placement, readClocks());
  if (!machine.ok) {
    const { reason, file, offset, detail } = machine;
    const where = reason === "foreign" ? "" : `/${file} at byte ${offset}`;
    return { ok: false, detail: `${settings.dataDir}${where}: ${detail}` };
  }
  const member = new Member(settings, disk, logger, failed, machine.state, machine.effects);
  const ports = [
    ...settings.clientListen.map((address) => ({ address, protocols: member.clientPort() })),
    ...settings.peerListen.map((address) => ({ address, protocols: member.peerPort() })),
  ];
  const listening = await listenAll(ports, settings.tls);
  if (!listening.ok) {
    await member.stop();
    return listening;
  }
  member.start();
  const [url = ""] = settings.clientUrls;
  logger.log("info", "the placement member listens", {
    name: settings.name,
    client_urls: settings.clientUrls.join(","),
    data_dir: settings.dataDir,
  });
  const stop = async (): Promise<void> => {
    for (const listener of listening.listeners) listener.stop();
    await member.stop();
    await disk.close();
    logger.log("info", "the placement member has stopped");
  };
  return { ok: true, node: { endpoints: { "client-url": url }, stop } };
}

interface Port {
  readonly address: Address;
  readonly protocols: Protocols;
}

/** All ports, or none. */
async function listenAll(
  ports: readonly Port[],
  tls: NodeTls | undefined,
): Promise<
  | { readonly ok: true; readonly listeners: readonly Listener[] }
  | { readonly ok: false; readonly detail: string }
> {
  const listeners: Listener[] = [];
  for (const { address, protocols } of ports) {
    const listening = await listen(address, protocols, tls);
    if (!listening.ok) {
      for (const listener of listeners) listener.stop();
      return listening;
    }
    listeners.push(listening.listener);
  }
  return { ok: true, listeners };
}

class Member {
  readonly #settings: PdSettings;
  readonly #disk: FileDisk;
  readonly #logger: Logger;
  readonly #failed: Failed;
  readonly #wire = createWire();
  readonly #driver: Driver<PlacementState, PlacementInput>;
  readonly #requests: Requests;
  readonly #members: MemberDirectory;
  readonly #health: Health;
  readonly #grpc: GrpcServer;
  readonly #http: HttpServer;
  readonly #peerHttp: HttpServer;
  readonly #transport: Transport;
  #collector: Collector | undefined;

  constructor(
    settings: PdSettings,
    disk: FileDisk,
    logger: Logger,
    failed: Failed,
    state: PlacementState,
    effects: readonly PlacementEffect[],
  ) {
    this.#settings = settings;
    this.#disk = disk;
    this.#logger = logger;
    this.#failed = failed;
    this.#driver = createDriver<PlacementState, PlacementInput, PlacementEffect>({
      machine: engine,
      state,
      effects,
      perform: (effect) => this.#perform(effect),
      tick: { type: "tick" },
      tickMs: TICK_MS,
      failed: (error) => this.#fail(describeError(error)),
    });
    this.#requests = new Requests({
      request: (ticket, method, request) =>
        // The service tables pair each method with its request.
        this.#driver.push({ type: "request", ticket, call: { method, request } as PlacementCall }),
      cancelled: (ticket) => this.#driver.push({ type: "cancelled", ticket }),
    });
    const { name, clientUrls, placement, tls } = settings;
    this.#members = createMemberDirectory(name, clientUrls, placement.members, tls);
    this.#health = createHealth([PD_SERVICE.name]);
    const calls = new LatencyTable();
    this.#grpc = this.#serve(calls);
    this.#transport = this.#connectMembers();
    this.#http = createHttpServer(
      placementRoutes({
        driver: this.#driver,
        grpc: this.#grpc,
        transport: this.#transport,
        members: this.#members,
        calls,
      }),
    );
    this.#peerHttp = createHttpServer(new Map([[MEMBER_PATH, memberAnswer(name, clientUrls)]]));
  }

  clientPort(): Protocols {
    return {
      http2: (socket) => this.#grpc.accept(socket),
      http1: (socket) => this.#http.accept(socket),
      rejected: (reason, remote) => this.#rejected(reason, remote),
    };
  }

  peerPort(): Protocols {
    return {
      peer: (socket: Socket) => this.#transport.accept(socket),
      http1: (socket) => this.#peerHttp.accept(socket),
      rejected: (reason, remote) => this.#rejected(reason, remote),
    };
  }

  start(): void {
    this.#driver.start();
    this.#health.set(true);
    const { collection: plan, clientUrls } = this.#settings;
    if (plan === undefined) return;
    this.#collector = startCollector({
      leads: () => engine.isLeader(this.#driver.state) && this.#catalog().bootstrapped,
      endpoints: clientUrls.map((url) => url.replace(/^https?:\/\//, "")),
      tls: this.#settings.tls,
      plan,
      logger: this.#logger,
    });
  }

  #catalog(): engine.Catalog {
    return engine.catalogOf(this.#driver.state);
  }

  async stop(): Promise<void> {
    this.#health.set(false);
    await this.#collector?.stop();
    await this.#grpc.close(DRAIN_MS);
    this.#driver.stop();
    this.#members.stop();
    this.#transport.close();
    this.#http.close();
    this.#peerHttp.close();
  }

  #rejected(reason: string, remote: string): void {
    this.#logger.log("warn", "closed a connection", { reason, remote });
  }

  #serve(calls: LatencyTable): GrpcServer {
    const handler = createServiceHandler(this.#requests);
    return createGrpcServer({
      services: [
        { service: PD_SERVICE, handler },
        { service: KEYSPACE_SERVICE, handler },
        { service: META_STORAGE_SERVICE, handler },
        { service: ETCD_KV_SERVICE, handler },
        { service: ETCD_CLUSTER_SERVICE, handler },
        { service: HEALTH_SERVICE, handler: this.#health.handler },
      ],
      maxMessageBytes: MAX_MESSAGE_BYTES,
      observe: ({ path, clientStreaming }, code, milliseconds) => {
        if (!clientStreaming) calls.observe(methodName(path), milliseconds, code !== 0);
      },
    });
  }

  #connectMembers(): Transport {
    const { members, id } = this.#settings.placement;
    return createTransport({
      self: () => ({
        kind: "placement",
        cluster: this.#catalog().clusterId ?? 0n,
        id,
      }),
      resolve: (peer) => {
        const url = members.find((member) => member.id === peer)?.peerUrls[0] ?? "";
        return Promise.resolve(parseAddress(url));
      },
      received: (from, bytes) => {
        const decoded = engine.decodeMessage(bytes, this.#wire);
        if (!decoded.ok) return false;
        this.#driver.push({ type: "received", from: from as PeerId, message: decoded.value });
        return true;
      },
      unreachable: (peer) => this.#driver.push({ type: "unreachable", member: peer as PeerId }),
      tls: this.#settings.tls,
      logger: this.#logger,
    });
  }

  #perform(effect: PlacementEffect): void {
    switch (effect.type) {
      case "send":
        this.#transport.send(effect.to, engine.encodeMessage(effect.message, this.#wire));
        return;
      case "write":
        this.#disk.perform(effect, this.#driver.push);
        return;
      case "reply":
        this.#requests.answer(effect.ticket, this.#completed(effect.reply));
        return;
      case "refuse":
        this.#requests.refuse(effect.ticket, effect.code, effect.message);
        return;
      case "admin_done":
        // Nothing here gives orders yet, so nobody waits.
        return;
      case "log":
        logEffect(this.#logger, effect);
        return;
      case "stop":
        this.#driver.stop();
        this.#fail(effect.reason);
        return;
      default:
        unreachable(effect);
    }
  }

  /** The machine knows members by their peer URLs; where clients reach the others is known here. */
  #completed(reply: PlacementReply): unknown {
    if (reply.method === "MemberList") {
      const members = reply.response.members.map((member) => ({
        ...member,
        clientURLs: this.#members.clientUrls(member.name),
      }));
      return { ...reply.response, members };
    }
    if (reply.method !== "GetMembers") return reply.response;
    const { members, leader, etcdLeader, ...rest } = reply.response;
    type Info = (typeof members)[number];
    const complete = (info: Info): Info => ({
      ...info,
      clientUrls: this.#members.clientUrls(info.name),
    });
    return {
      ...rest,
      members: members.map(complete),
      leader: leader === undefined ? undefined : complete(leader),
      etcdLeader: etcdLeader === undefined ? undefined : complete(etcdLeader),
    };
  }

  /** The process ends here, so what can be given back at once is: the claim on the directory. */
  #fail(reason: string): void {
    this.#health.set(false);
    void this.#disk.close();
    this.#failed(reason);
  }
}
