/** Transactional calls and what is said to them, for conversations with stores. */
import type { Key } from "../../engine/base/bytes.ts";
import type { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import {
  CommitRequest,
  Context,
  GetRequest,
  type KeyError,
  Mutation,
  Op,
  PessimisticLockRequest,
  PrewriteRequest,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import type { Replica } from "../../engine/store/index.ts";

/** Later than everything that the scripted oracle gives out. */
export const LATE: bigint = 1n << 62n;

export const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
export const contextOf = ({ region, peer }: Replica): Context =>
  Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer });

export function prewriteCall(
  context: Context,
  key: string,
  value: string,
  startVersion: bigint,
  more: Partial<PrewriteRequest> = {},
): TikvCall {
  const mutations = [Mutation.make({ op: Op.Put, key: key as Key, value: bytes(value) })];
  const request = PrewriteRequest.make({
    context,
    mutations,
    primaryLock: key as Key,
    startVersion,
    lockTtl: 3000,
    ...more,
  });
  return { method: "KvPrewrite", request };
}

export function commitCall(
  context: Context,
  key: string,
  startVersion: bigint,
  commitVersion: bigint,
): TikvCall {
  const keys = [key as Key];
  const request = CommitRequest.make({ context, startVersion, keys, commitVersion });
  return { method: "KvCommit", request };
}

export function getCall(context: Context, key: string, version: bigint): TikvCall {
  return { method: "KvGet", request: GetRequest.make({ context, key: key as Key, version }) };
}

export function lockCall(
  context: Context,
  key: string,
  startVersion: bigint,
  more: Partial<PessimisticLockRequest> = {},
): TikvCall {
  const mutations = [Mutation.make({ op: Op.PessimisticLock, key: key as Key })];
  const request = PessimisticLockRequest.make({
    context,
    mutations,
    primaryLock: key as Key,
    startVersion,
    forUpdateTs: startVersion,
    lockTtl: 3000,
    waitTimeout: 1000n,
    ...more,
  });
  return { method: "KvPessimisticLock", request };
}

/** What a reply says, in a word or two. */
export function said(reply: TikvReply | undefined): string {
  if (reply === undefined) return "nothing";
  const response = reply.response as {
    readonly regionError?: RegionError;
    readonly error?: KeyError;
    readonly errors?: readonly KeyError[];
    readonly notFound?: boolean;
    readonly value?: Uint8Array;
  };
  if (response.regionError !== undefined) return `region: ${response.regionError.message}`;
  const error = response.error ?? response.errors?.[0];
  if (error?.locked !== undefined) return `locked by ${error.locked.lockVersion}`;
  if (error?.conflict !== undefined) return `conflict with ${error.conflict.conflictTs}`;
  if (error?.deadlock !== undefined) {
    const chain = error.deadlock.waitChain.map(({ txn, waitForTxn }) => `${txn}>${waitForTxn}`);
    return `deadlock ${chain.join(" ")}`;
  }
  if (error !== undefined) return error.abort === "" ? error.retryable : error.abort;
  if (reply.method !== "KvGet") return "done";
  return response.notFound === true ? "none" : String.fromCharCode(...(response.value ?? []));
}
