/**
 * A raw client just large enough for the playground's check of itself: it finds the region of a key
 * through the placement driver, calls its leader, and tries again while leaders are being elected.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Key } from "../../engine/base/bytes.ts";
import type { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import { Context } from "../../engine/protocol/gen/kvrpcpb.ts";
import type { KvPair } from "../../engine/protocol/gen/kvrpcpb.ts";
import { RequestHeader } from "../../engine/protocol/gen/pdpb.ts";
import { PD_SERVICE, TIKV_SERVICE } from "../../engine/protocol/services.ts";
import { createGrpcClient } from "../grpc/client.ts";
import type { GrpcClient } from "../grpc/client.ts";
import type { Method } from "../grpc/method.ts";

const { RawPut, RawGet, RawScan, RawDelete } = TIKV_SERVICE.methods;
const { GetMembers, GetRegion, GetStore } = PD_SERVICE.methods;

/** How long one operation may take with all its attempts. */
const GIVE_UP_AFTER_MS = 15_000;
const ATTEMPT_WITHIN_MS = 2000;
const RETRY_AFTER_MS = 100;

/** Ends an operation that could not be done; the message is a sentence for people. */
export class CheckFailure extends Error {}

/** Where a region's leader is. */
interface Route {
  readonly store: GrpcClient;
  readonly context: Context;
}

export class CheckClient {
  readonly #clients = new Map<string, GrpcClient>();
  readonly #pd: string;

  /** `pd` is the address of any member of the placement driver. */
  constructor(pd: string) {
    this.#pd = pd;
  }

  async put(key: Key, value: Uint8Array): Promise<void> {
    const response = await this.#call(key, RawPut, (context) =>
      RawPut.request.make({ context, key, value }),
    );
    if (response.error !== "") throw new CheckFailure(response.error);
  }

  /** Undefined where there is no such key. */
  async get(key: Key): Promise<Uint8Array | undefined> {
    const response = await this.#call(key, RawGet, (context) =>
      RawGet.request.make({ context, key }),
    );
    if (response.error !== "") throw new CheckFailure(response.error);
    return response.notFound ? undefined : response.value;
  }

  async scan(startKey: Key, endKey: Key, limit: number): Promise<readonly KvPair[]> {
    const response = await this.#call(startKey, RawScan, (context) =>
      RawScan.request.make({ context, startKey, endKey, limit }),
    );
    return response.kvs;
  }

  async delete(key: Key): Promise<void> {
    const response = await this.#call(key, RawDelete, (context) =>
      RawDelete.request.make({ context, key }),
    );
    if (response.error !== "") throw new CheckFailure(response.error);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  async #call<Request, Response extends { readonly regionError: RegionError | undefined }>(
    key: Key,
    method: Method<Request, Response>,
    request: (context: Context) => Request,
  ): Promise<Response> {
    const deadline = performance.now() + GIVE_UP_AFTER_MS;
    let reason: string;
    do {
      const route = await this.#route(key);
      if (typeof route === "string") {
        reason = route;
      } else {
        const options = { timeoutMs: ATTEMPT_WITHIN_MS };
        const result = await route.store.unary(method, request(route.context), options);
        if (result.ok && result.response.regionError === undefined) return result.response;
        reason = result.ok ? (result.response.regionError?.message ?? "") : result.message;
      }
      await sleep(RETRY_AFTER_MS);
    } while (performance.now() < deadline);
    throw new CheckFailure(`${method.path}: ${reason}`);
  }

  /** Or a phrase that says why there is none at the moment. */
  async #route(key: Key): Promise<Route | string> {
    const pd = this.#client(this.#pd);
    const options = { timeoutMs: ATTEMPT_WITHIN_MS };
    const members = await pd.unary(GetMembers, GetMembers.request.make(), options);
    if (!members.ok) return members.message;
    const header = RequestHeader.make({ clusterId: members.response.header?.clusterId ?? 0n });
    const found = await pd.unary(
      GetRegion,
      GetRegion.request.make({ header, regionKey: key }),
      options,
    );
    if (!found.ok) return found.message;
    const { region, leader } = found.response;
    if (region === undefined || leader === undefined) return "the region has no leader yet";
    const { storeId } = leader;
    const store = await pd.unary(GetStore, GetStore.request.make({ header, storeId }), options);
    if (!store.ok) return store.message;
    const address = store.response.store?.address;
    if (address === undefined) return `store ${storeId} is not known`;
    const { regionEpoch } = region;
    const context = Context.make({ regionId: region.id, regionEpoch, peer: leader });
    return { store: this.#client(address), context };
  }

  #client(address: string): GrpcClient {
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = createGrpcClient(address);
      this.#clients.set(address, client);
    }
    return client;
  }
}
