/**
 * How each method's answer tells of an error.
 */
import {
  BatchGetResponse,
  BatchRollbackResponse,
  BufferBatchGetResponse,
  CheckSecondaryLocksResponse,
  CheckTxnStatusResponse,
  CleanupResponse,
  CommitResponse,
  DeleteRangeResponse,
  FlashbackToVersionResponse,
  FlushResponse,
  GetResponse,
  type KeyError,
  KvPair,
  MvccGetByKeyResponse,
  MvccGetByStartTsResponse,
  PessimisticLockResponse,
  PessimisticRollbackResponse,
  PrepareFlashbackToVersionResponse,
  PrewriteResponse,
  ResolveLockResponse,
  ScanLockResponse,
  ScanResponse,
  TxnHeartBeatResponse,
} from "../../protocol/gen/kvrpcpb.ts";
import type { TikvUnaryMethods } from "../../protocol/services.ts";

export type MvccReadMethod =
  | "KvGet"
  | "KvBatchGet"
  | "KvBufferBatchGet"
  | "KvScan"
  | "KvScanLock"
  | "MvccGetByKey"
  | "MvccGetByStartTs";

export type MvccWriteMethod =
  | "KvPrewrite"
  | "KvCommit"
  | "KvBatchRollback"
  | "KvCleanup"
  | "KvPessimisticLock"
  | "KVPessimisticRollback"
  | "KvTxnHeartBeat"
  | "KvCheckTxnStatus"
  | "KvCheckSecondaryLocks"
  | "KvResolveLock"
  | "KvDeleteRange"
  | "KvPrepareFlashbackToVersion"
  | "KvFlashbackToVersion"
  | "KvFlush";

export type MvccMethod = MvccReadMethod | MvccWriteMethod;

type Refusals = {
  readonly [M in MvccMethod]: (error: KeyError) => TikvUnaryMethods[M]["response"];
};

export const REFUSE: Refusals = {
  KvGet: (error) => GetResponse.make({ error }),
  // Clients of old look at the pairs alone.
  KvBatchGet: (error) => BatchGetResponse.make({ error, pairs: [KvPair.make({ error })] }),
  KvBufferBatchGet: (error) => BufferBatchGetResponse.make({ error }),
  KvScan: (error) => ScanResponse.make({ error, pairs: [KvPair.make({ error })] }),
  KvScanLock: (error) => ScanLockResponse.make({ error }),
  MvccGetByKey: (error) => MvccGetByKeyResponse.make({ error: textOf(error) }),
  MvccGetByStartTs: (error) => MvccGetByStartTsResponse.make({ error: textOf(error) }),
  KvPrewrite: (error) => PrewriteResponse.make({ errors: [error] }),
  KvCommit: (error) => CommitResponse.make({ error }),
  KvBatchRollback: (error) => BatchRollbackResponse.make({ error }),
  KvCleanup: (error) => CleanupResponse.make({ error }),
  KvPessimisticLock: (error) => PessimisticLockResponse.make({ errors: [error] }),
  KVPessimisticRollback: (error) => PessimisticRollbackResponse.make({ errors: [error] }),
  KvTxnHeartBeat: (error) => TxnHeartBeatResponse.make({ error }),
  KvCheckTxnStatus: (error) => CheckTxnStatusResponse.make({ error }),
  KvCheckSecondaryLocks: (error) => CheckSecondaryLocksResponse.make({ error }),
  KvResolveLock: (error) => ResolveLockResponse.make({ error }),
  KvDeleteRange: (error) => DeleteRangeResponse.make({ error: textOf(error) }),
  KvPrepareFlashbackToVersion: (error) =>
    PrepareFlashbackToVersionResponse.make({ error: textOf(error) }),
  KvFlashbackToVersion: (error) => FlashbackToVersionResponse.make({ error: textOf(error) }),
  KvFlush: (error) => FlushResponse.make({ errors: [error] }),
};

/** Some answers have room for a text only; the errors that they can have are texts. */
const textOf = (error: KeyError): string => error.abort;
