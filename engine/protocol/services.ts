/**
 * The services as the engine sees them: a call is a method with its request, a reply is the same
 * method with its response. Which bytes they came in, alone or in a batch, nobody further in knows.
 */
import { assert } from "../base/assert.ts";
import type { MethodTypes } from "./service.ts";
import type {
  ClusterMethods as EtcdClusterMethods,
  KvMethods as EtcdKvMethods,
  LeaseMethods as EtcdLeaseMethods,
  MaintenanceMethods as EtcdMaintenanceMethods,
  WatchMethods as EtcdWatchMethods,
} from "./gen/etcdserverpb.ts";
import type { HealthMethods } from "./gen/health.ts";
import type { KeyspaceMethods } from "./gen/keyspacepb.ts";
import type { MetaStorageMethods } from "./gen/meta_storagepb.ts";
import type { PdMethods } from "./gen/pdpb.ts";
import type {
  BatchCommandsRequest_Request,
  BatchCommandsResponse_Response,
  TikvMethods,
} from "./gen/tikvpb.ts";

export {
  CLUSTER_SERVICE as ETCD_CLUSTER_SERVICE,
  KV_SERVICE as ETCD_KV_SERVICE,
  LEASE_SERVICE as ETCD_LEASE_SERVICE,
  MAINTENANCE_SERVICE as ETCD_MAINTENANCE_SERVICE,
  WATCH_SERVICE as ETCD_WATCH_SERVICE,
} from "./gen/etcdserverpb.ts";
export { HEALTH_SERVICE } from "./gen/health.ts";
export { KEYSPACE_SERVICE } from "./gen/keyspacepb.ts";
export { META_STORAGE_SERVICE } from "./gen/meta_storagepb.ts";
export { PD_SERVICE } from "./gen/pdpb.ts";
export { TIKV_SERVICE } from "./gen/tikvpb.ts";
export type { HealthMethods, KeyspaceMethods, MetaStorageMethods, PdMethods, TikvMethods };
export type { EtcdClusterMethods, EtcdKvMethods, EtcdLeaseMethods };
export type { EtcdMaintenanceMethods, EtcdWatchMethods };
export type { MethodRow, MethodTypes, ServiceTable } from "./service.ts";

/** A method of a service with its request; switch on `method`. */
export type CallOf<Methods extends { readonly [M in keyof Methods]: MethodTypes }> = {
  [M in keyof Methods]: { readonly method: M; readonly request: Methods[M]["request"] };
}[keyof Methods];

/** A method of a service with its response. */
export type ReplyOf<Methods extends { readonly [M in keyof Methods]: MethodTypes }> = {
  [M in keyof Methods]: { readonly method: M; readonly response: Methods[M]["response"] };
}[keyof Methods];

/** What a store answers one by one; the stream of batches is taken apart before it gets here. */
export type TikvUnaryMethods = Omit<TikvMethods, "BatchCommands">;
export type TikvCall = CallOf<TikvUnaryMethods>;
export type TikvReply = ReplyOf<TikvUnaryMethods>;

/**
 * A call of the placement driver, or one message of a stream to it (`Tso`, `RegionHeartbeat`, ...).
 */
export type PdCall = CallOf<PdMethods>;
export type PdReply = ReplyOf<PdMethods>;

export type KeyspaceCall = CallOf<KeyspaceMethods>;
export type KeyspaceReply = ReplyOf<KeyspaceMethods>;
export type MetaStorageCall = CallOf<MetaStorageMethods>;
export type MetaStorageReply = ReplyOf<MetaStorageMethods>;
/** The etcd services share one store of keys, and no two of their methods a name. */
export type EtcdMethods = EtcdClusterMethods &
  EtcdKvMethods &
  EtcdLeaseMethods &
  EtcdMaintenanceMethods &
  EtcdWatchMethods;
export type EtcdCall = CallOf<EtcdMethods>;
export type EtcdReply = ReplyOf<EtcdMethods>;
export type HealthCall = CallOf<HealthMethods>;
export type HealthReply = ReplyOf<HealthMethods>;

type Command = NonNullable<BatchCommandsRequest_Request["cmd"]>["case"];
/** The commands of a batch that are calls. `empty` is none: it tests the stream itself. */
export type BatchCommand = Exclude<Command, "empty">;

/** The unary method that does what a command of a batch does. */
export const METHOD_OF_COMMAND: { readonly [C in BatchCommand]: keyof TikvUnaryMethods } = {
  get: "KvGet",
  scan: "KvScan",
  prewrite: "KvPrewrite",
  commit: "KvCommit",
  cleanup: "KvCleanup",
  batchGet: "KvBatchGet",
  batchRollback: "KvBatchRollback",
  scanLock: "KvScanLock",
  resolveLock: "KvResolveLock",
  gc: "KvGC",
  deleteRange: "KvDeleteRange",
  rawGet: "RawGet",
  rawBatchGet: "RawBatchGet",
  rawPut: "RawPut",
  rawBatchPut: "RawBatchPut",
  rawDelete: "RawDelete",
  rawBatchDelete: "RawBatchDelete",
  rawScan: "RawScan",
  rawDeleteRange: "RawDeleteRange",
  rawBatchScan: "RawBatchScan",
  coprocessor: "Coprocessor",
  pessimisticLock: "KvPessimisticLock",
  pessimisticRollback: "KVPessimisticRollback",
  checkTxnStatus: "KvCheckTxnStatus",
  txnHeartBeat: "KvTxnHeartBeat",
  checkSecondaryLocks: "KvCheckSecondaryLocks",
  rawCoprocessor: "RawCoprocessor",
  flashbackToVersion: "KvFlashbackToVersion",
  prepareFlashbackToVersion: "KvPrepareFlashbackToVersion",
  flush: "KvFlush",
  bufferBatchGet: "KvBufferBatchGet",
  getHealthFeedback: "GetHealthFeedback",
  broadcastTxnStatus: "BroadcastTxnStatus",
};

/** The command that a method is within a batch; methods without one are called alone. */
export const COMMAND_OF_METHOD: ReadonlyMap<string, BatchCommand> = new Map(
  Object.entries(METHOD_OF_COMMAND).map(([command, method]) => [method, command as BatchCommand]),
);

/**
 * The call that one command of a batch is. Undefined for `empty`, and for commands this version
 * does not know, which decode as no command at all.
 */
export function callOfBatchCommand(command: BatchCommandsRequest_Request): TikvCall | undefined {
  const { cmd } = command;
  if (cmd === undefined || cmd.case === "empty") return undefined;
  // The table pairs each command with the method that has the same request.
  return { method: METHOD_OF_COMMAND[cmd.case], request: cmd.value } as TikvCall;
}

/** The answer of a batch that carries `reply`, whose method must be one that came from a batch. */
export function batchResponseOf(reply: TikvReply): BatchCommandsResponse_Response {
  const command = COMMAND_OF_METHOD.get(reply.method);
  assert(command !== undefined, "a batch answers only what a batch can ask");
  return { cmd: { case: command, value: reply.response } as BatchCommandsResponse_Response["cmd"] };
}

/** The command of a batch that carries `call`; undefined for methods that are called alone. */
export function batchCommandOf(call: TikvCall): BatchCommandsRequest_Request | undefined {
  const command = COMMAND_OF_METHOD.get(call.method);
  if (command === undefined) return undefined;
  return { cmd: { case: command, value: call.request } as BatchCommandsRequest_Request["cmd"] };
}

/** The reply that one answer of a batch is; undefined for `empty` and for what is not known. */
export function replyOfBatchResponse(
  response: BatchCommandsResponse_Response,
): TikvReply | undefined {
  const { cmd } = response;
  if (cmd === undefined || cmd.case === "empty") return undefined;
  return { method: METHOD_OF_COMMAND[cmd.case], response: cmd.value } as TikvReply;
}
