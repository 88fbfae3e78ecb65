/**
 * A store as a process: the engine's store machine between its disk, its peers, its clients and the
 * placement driver. Everything here does what the machine says, and tells it what happened.
 */
import type { Socket } from "node:net";
import { unreachable } from "../../engine/base/assert.ts";
import type { StoreId, Ticket } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import { runStoreJob } from "../../engine/store/jobs.ts";
import { TableCache } from "../../engine/storage/table/cache.ts";
import { HEALTH_SERVICE, TIKV_SERVICE } from "../../engine/protocol/services.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import * as engine from "../../engine/store/index.ts";
import type { StoreEffect, StoreInput, StoreState } from "../../engine/store/index.ts";
import { formatAddress } from "../network/address.ts";
import { createBatchHandler } from "../service/batch-commands.ts";
import { readClocks } from "../clock.ts";
import type { TikvSettings } from "../config/tikv.ts";
import { listen } from "../network/demux.ts";
import type { Protocols } from "../network/demux.ts";
import { openDisk } from "../files/disk.ts";
import type { FileDisk } from "../files/disk.ts";
import { createDriver } from "./driver.ts";
import type { Driver } from "./driver.ts";
import type { Handler, ServerCall } from "../grpc/server-call.ts";
import { createGrpcServer } from "../grpc/server.ts";
import type { GrpcServer } from "../grpc/server.ts";
import { createHealth } from "../service/health.ts";
import type { Health } from "../service/health.ts";
import { createHttpServer } from "../status/http.ts";
import type { HttpServer } from "../status/http.ts";
import { JobRunner } from "../jobs/jobs.ts";
import type { Logger } from "../log.ts";
import { LatencyTable } from "../metrics/latency.ts";
import { createTransport } from "../network/network.ts";
import type { Transport } from "../network/network.ts";
import { DRAIN_MS, describeError, logEffect } from "./node.ts";
import type { Failed, Started } from "./node.ts";
import { createPlacementClient } from "../network/placement-client.ts";
import type { PlacementClient } from "../network/placement-client.ts";
import { Requests } from "./requests.ts";
import { createServiceHandler, methodName } from "../service/handler.ts";
import { statusRoutes } from "../status/store-status.ts";
import { createStoreDirectory } from "../network/store-directory.ts";
import type { NodeTls } from "../network/tls.ts";

const MAX_MESSAGE_BYTES = 64 << 20;
const HEALTH_EVERY_MS = 500;

export async function startTikvServer(
  settings: TikvSettings,
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
  settings: TikvSettings,
  disk: FileDisk,
  logger: Logger,
  failed: Failed,
): Promise<Started> {
  // The ports are taken first, as the machine tells the cluster its address.
  let store: Store | undefined;
  const give = (socket: Socket, to: { accept(socket: Socket): void } | undefined): void => {
    if (to === undefined) socket.destroy();
    else to.accept(socket);
  };
  const rejected = (reason: string, remote: string): void =>
    logger.log("warn", "closed a connection", { reason, remote });
  const clientPort: Protocols = {
    http2: (socket) => give(socket, store?.grpc),
    peer: (socket) => give(socket, store?.transport),
    rejected,
  };
  const client = await listen(settings.addr, clientPort, settings.tls);
  if (!client.ok) return client;
  const statusPort: Protocols = { http1: (socket) => give(socket, store?.http), rejected };
  const status = await listen(settings.statusAddr, statusPort, settings.tls);
  if (!status.ok) {
    client.listener.stop();
    return status;
  }
  const config = settings.store(client.listener.address, status.listener.address);
  const tables = new TableCache(disk, config.cacheBytes);
  const machine = engine.open(tables, config, readClocks());
  if (!machine.ok) {
    client.listener.stop();
    status.listener.stop();
    const { file, offset, detail } = machine;
    return { ok: false, detail: `${settings.dataDir}/${file} at byte ${offset}: ${detail}` };
  }
  store = new Store(settings, disk, tables, logger, failed, machine.state, machine.effects);
  store.start();
  const endpoints = { addr: config.address, "status-addr": config.statusAddress };
  logger.log("info", "the store listens", {
    addr: formatAddress(client.listener.address),
    status_addr: formatAddress(status.listener.address),
    data_dir: settings.dataDir,
  });
  const running = store;
  const stop = async (): Promise<void> => {
    client.listener.stop();
    status.listener.stop();
    await running.stop();
    await disk.close();
    logger.log("info", "the store has stopped");
  };
  return { ok: true, node: { endpoints, stop } };
}

class Store {
  readonly grpc: GrpcServer;
  readonly transport: Transport;
  readonly http: HttpServer;
  readonly #disk: FileDisk;
  readonly #logger: Logger;
  readonly #failed: Failed;
  readonly #wire = createWire();
  readonly #requests: Requests;
  readonly #driver: Driver<StoreState, StoreInput>;
  readonly #jobs: JobRunner;
  readonly #placement: PlacementClient;
  readonly #health: Health;
  #healthTimer: NodeJS.Timeout | undefined;

  constructor(
    settings: TikvSettings,
    disk: FileDisk,
    tables: TableCache,
    logger: Logger,
    failed: Failed,
    state: StoreState,
    effects: readonly StoreEffect[],
  ) {
    this.#disk = disk;
    this.#logger = logger;
    this.#failed = failed;
    this.#driver = createDriver<StoreState, StoreInput, StoreEffect>({
      machine: { step: (before, now, inputs) => engine.step(before, now, tables, inputs) },
      state,
      effects,
      perform: (effect) => this.#perform(effect),
      tick: { type: "tick" },
      tickMs: state.config.tickMs,
      failed: (error) => this.#fail(describeError(error)),
    });
    this.#jobs = new JobRunner({
      disk,
      code: runStoreJob,
      worker: new URL("../jobs/store-worker.js", import.meta.url),
      ended: (outcome) => this.#driver.push(outcome),
      failed: (error) => this.#fail(describeError(error)),
    });
    this.#requests = new Requests({
      request: (ticket, method, request) =>
        // The service table pairs each method with its request.
        this.#driver.push({ type: "request", ticket, call: { method, request } as TikvCall }),
      cancelled: (ticket) => this.#driver.push({ type: "cancelled", ticket }),
    });
    this.#health = createHealth([TIKV_SERVICE.name]);
    const calls = new LatencyTable();
    this.grpc = this.#serve(calls);
    this.#placement = createPlacementClient(settings.pdEndpoints, logger, settings.tls);
    this.transport = this.#connectPeers(settings.tls);
    this.http = createHttpServer(
      statusRoutes({
        driver: this.#driver,
        grpc: this.grpc,
        transport: this.transport,
        calls,
        tables,
        jobs: this.#jobs,
      }),
    );
  }

  start(): void {
    this.#driver.start();
    this.#healthTimer = setInterval(() => {
      const { state } = this.#driver;
      this.#health.set(engine.isJoined(state) && engine.trouble(state) === undefined);
    }, HEALTH_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#healthTimer);
    this.#health.set(false);
    await this.grpc.close(DRAIN_MS);
    this.#driver.stop();
    await this.#jobs.close();
    this.#placement.close();
    this.transport.close();
    this.http.close();
  }

  #serve(calls: LatencyTable): GrpcServer {
    const single = createServiceHandler(this.#requests);
    const batch = createBatchHandler(this.#requests, (method, milliseconds) =>
      calls.observe(method, milliseconds, false),
    );
    const batchPath = TIKV_SERVICE.methods.BatchCommands.path;
    const handlerOf = (call: ServerCall): Handler =>
      call.method.path === batchPath ? batch : single;
    const handler: Handler = {
      message: (call, message) => handlerOf(call).message(call, message),
      halfClosed: (call) => handlerOf(call).halfClosed?.(call),
      draining: (call) => handlerOf(call).draining?.(call),
      cancelled: (call) => handlerOf(call).cancelled?.(call),
    };
    return createGrpcServer({
      services: [
        { service: TIKV_SERVICE, handler },
        { service: HEALTH_SERVICE, handler: this.#health.handler },
      ],
      maxMessageBytes: MAX_MESSAGE_BYTES,
      observe: ({ path, clientStreaming }, code, milliseconds) => {
        if (!clientStreaming) calls.observe(methodName(path), milliseconds, code !== 0);
      },
    });
  }

  #connectPeers(tls: NodeTls | undefined): Transport {
    const self = (): { cluster: bigint; store: number } =>
      engine.identity(this.#driver.state) ?? { cluster: 0n, store: 0 };
    const directory = createStoreDirectory(this.#placement, () => self().cluster);
    return createTransport({
      self: () => ({ kind: "store", cluster: self().cluster, id: self().store }),
      resolve: (id) => directory.find(id),
      received: (from, bytes) => {
        const decoded = engine.decodeStoreMessage(bytes, this.#wire);
        if (!decoded.ok) return false;
        this.#driver.push({ type: "received", from: from as StoreId, message: decoded.value });
        return true;
      },
      unreachable: (id) => {
        directory.forget(id);
        this.#driver.push({ type: "unreachable", store: id as StoreId });
      },
      tls,
      logger: this.#logger,
    });
  }

  #perform(effect: StoreEffect): void {
    switch (effect.type) {
      case "send":
        this.transport.send(effect.to, engine.encodeStoreMessage(effect.message, this.#wire));
        return;
      case "write":
        this.#disk.perform(effect, this.#driver.push);
        return;
      case "job":
        this.#jobs.run(effect.ticket, effect.job);
        return;
      case "reply":
        this.#requests.answer(effect.ticket, effect.reply.response);
        return;
      case "refuse":
        this.#requests.refuse(effect.ticket, effect.code, effect.message);
        return;
      case "ask_placement":
        this.#ask(effect);
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

  #ask({ ticket, call }: Extract<StoreEffect, { readonly type: "ask_placement" }>): void {
    void this.#placement.ask(call).then((answer) => this.#answered(ticket, answer));
  }

  #answered(ticket: Ticket, answer: Awaited<ReturnType<PlacementClient["ask"]>>): void {
    this.#driver.push({ type: "placement_answer", ticket, answer });
  }

  /** The process ends here, so what can be given back at once is: the claim on the directory. */
  #fail(reason: string): void {
    this.#health.set(false);
    void this.#jobs.close().then(() => this.#disk.close());
    this.#failed(reason);
  }
}
