/**
 * Gets and one-phase transfers as hand-written requests: the messages that `rutile/client` sends
 * for them, and nothing around.
 */
import { Key } from "../../engine/base/bytes.ts";
import { composeTimestamp } from "../../engine/base/timestamp.ts";
import { encodeKey } from "../../engine/mvcc/keys.ts";
import {
  BatchGetRequest,
  Context,
  GetRequest,
  Mutation,
  Op,
  PrewriteRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import { PD_SERVICE, TIKV_SERVICE } from "../../engine/protocol/services.ts";
import { accountKey, middleOf } from "./accounts.ts";
import type { Draw } from "./accounts.ts";
import type { Load } from "./load.ts";
import type { Stub } from "./stub.ts";

const { GetMembers, GetRegion, GetStore } = PD_SERVICE.methods;
const { KvBatchGet, KvGet, KvPrewrite } = TIKV_SERVICE.methods;
/** As the client's, for a small transaction. */
const LOCK_TTL_MS = 3000;

/** Where one half of the accounts is, and what every request to it carries. */
interface Route {
  readonly address: string;
  readonly context: Context;
}

/** What the requests rest on, asked of the placement driver by a stub. */
export class Routes {
  readonly #stub: Stub;
  readonly #pd: string;
  readonly #accounts: number;
  #clusterId = 0n;
  #halves: readonly [Route, Route] | undefined;

  constructor(stub: Stub, pd: string, accounts: number) {
    this.#stub = stub;
    this.#pd = pd;
    this.#accounts = accounts;
  }

  /** Asks for everything, at first and when a region has moved. */
  async find(): Promise<void> {
    const { header } = await this.#stub.call(this.#pd, GetMembers, GetMembers.request.make());
    this.#clusterId = header?.clusterId ?? 0n;
    this.#halves = [await this.#routeOf(0), await this.#routeOf(middleOf(this.#accounts))];
  }

  /** Throws before anything was found. */
  of(account: number): Route {
    if (this.#halves === undefined) throw new Error("no region has been asked for");
    return this.#halves[account < middleOf(this.#accounts) ? 0 : 1];
  }

  async timestamp(): Promise<bigint> {
    const { timestamp } = await this.#stub.timestamp(this.#pd, this.#clusterId);
    if (timestamp === undefined) throw new Error("the answer has no timestamp");
    return composeTimestamp(timestamp.physical, timestamp.logical);
  }

  async #routeOf(account: number): Promise<Route> {
    const [stub, pd, clusterId] = [this.#stub, this.#pd, this.#clusterId];
    const header = { clusterId, senderId: 0, callerId: "", callerComponent: "" };
    const regionKey = encodeKey(Key(accountKey(account)));
    const asked = GetRegion.request.make({ header, regionKey });
    const { region, leader } = await stub.call(pd, GetRegion, asked);
    if (region === undefined || leader === undefined) throw new Error("a region has no leader");
    const request = GetStore.request.make({ header, storeId: leader.storeId });
    const { store } = await stub.call(pd, GetStore, request);
    if (store === undefined) throw new Error(`store ${leader.storeId} is not known`);
    const { id: regionId, regionEpoch } = region;
    const context = Context.make({ regionId, regionEpoch, peer: leader, clusterId });
    return { address: store.address, context };
  }
}

/** Whether it happened; not where a lock was in the way, or the region has moved. */
async function get(stub: Stub, routes: Routes, account: number, version: bigint): Promise<boolean> {
  const { address, context } = routes.of(account);
  const request = GetRequest.make({ context, key: Key(accountKey(account)), version });
  const { regionError, error, notFound } = await stub.call(address, KvGet, request);
  if (regionError !== undefined || error !== undefined) return false;
  if (notFound) throw new Error("an account is missing");
  return true;
}

/** As `get`. */
async function transfer(stub: Stub, routes: Routes, draw: Draw): Promise<boolean> {
  const [a, b] = draw.within();
  const keys = [Key(accountKey(a)), Key(accountKey(b))] as const;
  const { address, context } = routes.of(a);
  const startVersion = await routes.timestamp();
  const asked = BatchGetRequest.make({ context, keys, version: startVersion });
  const { pairs, regionError } = await stub.call(address, KvBatchGet, asked);
  const blocked = pairs.some(({ error }) => error !== undefined);
  if (regionError !== undefined || blocked) return false;
  const [from, to] = keys.map((key) => pairs.find((pair) => pair.key === key)?.value);
  if (from === undefined || to === undefined) throw new Error("an account is missing");
  const text = new TextDecoder();
  const put = (key: Key, balance: number): Mutation =>
    Mutation.make({ op: Op.Put, key, value: new TextEncoder().encode(String(balance)) });
  const prewrite = PrewriteRequest.make({
    context,
    mutations: [
      put(keys[0], Number(text.decode(from)) - 1),
      put(keys[1], Number(text.decode(to)) + 1),
    ],
    primaryLock: keys[0],
    startVersion,
    lockTtl: LOCK_TTL_MS,
    txnSize: 2n,
    minCommitTs: (await routes.timestamp()) + 1n,
    useAsyncCommit: true,
    tryOnePc: true,
    secondaries: [keys[1]],
  });
  const {
    errors,
    onePcCommitTs,
    regionError: moved,
  } = await stub.call(address, KvPrewrite, prewrite);
  return moved === undefined && errors.length === 0 && onePcCommitTs > 0n;
}

/** The two loads, with snapshots renewed after this many gets. */
export function stubLoads(
  stub: Stub,
  routes: Routes,
  draw: Draw,
  turnsPerSnapshot: number,
): { readonly get: Load; readonly transfer: Load } {
  const end = (): Promise<void> => Promise.resolve();
  const counted = async (happened: boolean): Promise<number> => {
    if (happened) return 1;
    await routes.find();
    return 0;
  };
  return {
    get: {
      system: stub.name,
      label: "get",
      caller: () => {
        let left = 0;
        let version = 0n;
        const turn = async (): Promise<number> => {
          if (left === 0) version = await routes.timestamp();
          left = left === 0 ? turnsPerSnapshot - 1 : left - 1;
          return counted(await get(stub, routes, draw.one(), version));
        };
        return { turn, end };
      },
    },
    transfer: {
      system: stub.name,
      label: "transfer, one phase",
      caller: () => ({
        turn: async () => counted(await transfer(stub, routes, draw)),
        end,
      }),
    },
  };
}
