import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { encodeMemcomparable } from "../../engine/base/memcomparable.ts";
import { Cluster } from "../../engine/client/cluster.ts";
import { ClientError, type FailureReason } from "../../engine/client/errors.ts";
import type { Transport } from "../../engine/client/ports.ts";
import { TxnClient } from "../../engine/client/transactions.ts";
import {
  Action,
  BatchRollbackResponse,
  CheckTxnStatusResponse,
  CommitResponse,
  Deadlock,
  GetResponse,
  KeyError,
  LockInfo,
  Op,
  PessimisticLockResponse,
  PessimisticRollbackResponse,
  PrewriteResponse,
  ResolveLockResponse,
  TxnHeartBeatResponse,
} from "../../engine/protocol/gen/kvrpcpb.ts";
import type { TikvCall } from "../../engine/protocol/services.ts";
import { suite } from "../harness.ts";
import { ScriptedCluster } from "./scripted.ts";

const test = suite("client: transactions");

/** Regions below and from "m" on, whose stores say yes to whatever is asked. */
function willing(): ScriptedCluster {
  const cluster = new ScriptedCluster([encodeMemcomparable("m" as Key)]);
  const { script } = cluster;
  const minCommitTs = 5000n;
  script.set("KvPrewrite", () => PrewriteResponse.make({ minCommitTs }));
  script.set("KvCommit", () => CommitResponse.make());
  script.set("KvBatchRollback", () => BatchRollbackResponse.make());
  script.set("KVPessimisticRollback", () => PessimisticRollbackResponse.make());
  script.set("KvTxnHeartBeat", () => TxnHeartBeatResponse.make());
  script.set("KvResolveLock", () => ResolveLockResponse.make());
  script.set("KvPessimisticLock", () =>
    PessimisticLockResponse.make({ values: [Uint8Array.of(7)], notFounds: [false] }),
  );
  return cluster;
}

const clientOf = (cluster: ScriptedCluster): TxnClient =>
  new TxnClient(new Cluster(cluster.ports, ["pd1:1"], "transactional"));

/** The calls so far, without stores and regions. */
const methodsOf = (cluster: ScriptedCluster): readonly (string | undefined)[] =>
  cluster.calls.map((call) => call.split(" ")[1]);

async function reasonOf(operation: Promise<unknown>): Promise<FailureReason | "none"> {
  try {
    await operation;
    return "none";
  } catch (error) {
    if (error instanceof ClientError) return error.reason;
    throw error;
  }
}

const regionOfCall = (call: TikvCall): number | undefined =>
  (call.request as { readonly context: { readonly regionId: number } }).context.regionId;

test("a prewrite that nobody answers leaves the outcome open, whatever others answer", async () => {
  const cluster = willing();
  cluster.script.set("KvPrewrite", (call) => {
    if (regionOfCall(call) === 1) return undefined;
    return PrewriteResponse.make({ minCommitTs: 5000n });
  });
  const transaction = await clientOf(cluster).begin();
  await transaction.put("a", "1");
  await transaction.put("z", "1");
  assert.is(await reasonOf(transaction.commit({ timeoutMs: 1000 })), "undetermined");
  assert.not.ok(methodsOf(cluster).includes("KvBatchRollback"));
});

test("a commit of the primary that nobody answers leaves the outcome open", async () => {
  const cluster = willing();
  cluster.script.set("KvCommit", () => undefined);
  const transaction = await clientOf(cluster).begin({ asyncCommit: false, onePC: false });
  await transaction.put("a", "1");
  assert.is(await reasonOf(transaction.commit({ timeoutMs: 1000 })), "undetermined");
});

test("a store that may have collected what it denies is not believed after a lost call", async () => {
  for (const [safePoint, reason] of [
    [0n, "conflict"],
    [9999n, "undetermined"],
  ] as const) {
    for (const [lost, method] of [
      [{ asyncCommit: false, onePC: false }, "KvCommit"],
      [{}, "KvPrewrite"],
    ] as const) {
      const cluster = willing();
      cluster.safePoint = safePoint;
      let calls = 0;
      const gone = KeyError.make({ txnLockNotFound: { key: "a" as Key } });
      cluster.script.set(method, () => {
        calls += 1;
        if (calls === 1) return undefined;
        return method === "KvCommit"
          ? CommitResponse.make({ error: gone })
          : PrewriteResponse.make({ errors: [gone] });
      });
      const transaction = await clientOf(cluster).begin(lost);
      await transaction.put("a", "1");
      assert.is(await reasonOf(transaction.commit()), reason, `${method} ${safePoint}`);
      await transaction.settled();
    }
  }
});

test("a region that is being flashed back does not say what an earlier call has done", async () => {
  for (const [options, method] of [
    [{ asyncCommit: false, onePC: false }, "KvCommit"],
    [{}, "KvPrewrite"],
  ] as const) {
    const cluster = willing();
    const regionError = { message: "closed", flashbackInProgress: { regionId: 1 } };
    let calls = 0;
    cluster.script.set(method, () => {
      calls += 1;
      return calls === 1 ? undefined : { regionError, errors: [] };
    });
    const transaction = await clientOf(cluster).begin(options);
    await transaction.put("a", "1");
    assert.is(await reasonOf(transaction.commit()), "undetermined", method);
    assert.not.ok(methodsOf(cluster).includes("KvBatchRollback"));
  }
});

test("whoever committed in one phase without hearing of it is told when that was", async () => {
  const cluster = willing();
  let calls = 0;
  cluster.script.set("KvPrewrite", () => {
    calls += 1;
    return calls === 1 ? undefined : PrewriteResponse.make();
  });
  cluster.script.set("KvCommit", () => CommitResponse.make({ commitVersion: 4000n }));
  const transaction = await clientOf(cluster).begin({ asyncCommit: false });
  await transaction.put("a", "1");
  assert.is(await transaction.commit(), 4000n);
});

test("a commit that no leader takes is revoked before it is told to have failed", async () => {
  const NOT_LEADER = { regionError: { message: "not here", notLeader: { regionId: 1 } } };
  const taken = KeyError.make({ abort: "Committed" });
  for (const [options, method] of [
    [{ asyncCommit: false, onePC: false }, "KvCommit"],
    [{ asyncCommit: false }, "KvPrewrite"],
    [{ onePC: false }, "KvPrewrite"],
  ] as const) {
    const outcomeOf = async (rollback: object | undefined): Promise<unknown> => {
      const cluster = willing();
      cluster.script.set(method, () => ({ ...NOT_LEADER, errors: [] }));
      cluster.script.set("KvBatchRollback", () => rollback);
      cluster.script.set("KvCheckTxnStatus", () =>
        CheckTxnStatusResponse.make({ commitVersion: 4000n }),
      );
      const transaction = await clientOf(cluster).begin(options);
      await transaction.put("a", "1");
      const commit = transaction.commit({ timeoutMs: 1000 });
      const reason = await reasonOf(commit);
      return reason === "none" ? commit : reason;
    };
    assert.is(await outcomeOf(BatchRollbackResponse.make()), "timeout", method);
    // It has come there by another way.
    assert.is(await outcomeOf(BatchRollbackResponse.make({ error: taken })), 4000n, method);
    assert.is(await outcomeOf(undefined), "undetermined", method);
  }
});

test("a commit that its caller cancels while a store works on it may have happened", async () => {
  for (const options of [{ asyncCommit: false, onePC: false }, {}]) {
    const cluster = willing();
    const signal = { aborted: false, addEventListener: () => {}, removeEventListener: () => {} };
    const { ports } = cluster;
    const tikv: Transport["tikv"] = (address, call, { timeoutMs }) => {
      const isLast = call.method === ("onePC" in options ? "KvCommit" : "KvPrewrite");
      if (!isLast) return ports.transport.tikv(address, call, { timeoutMs, signal });
      signal.aborted = true;
      return Promise.resolve({ ok: false, reason: "cancelled", code: 1, message: "cancelled" });
    };
    const transport = { ...ports.transport, tikv };
    const client = new TxnClient(new Cluster({ ...ports, transport }, ["pd1:1"], "transactional"));
    const transaction = await client.begin(options);
    await transaction.put("a", "1");
    assert.is(await reasonOf(transaction.commit({ signal })), "undetermined");
  }
});

test("of two phases a lost first one commits nothing", async () => {
  const cluster = willing();
  cluster.script.set("KvPrewrite", () => undefined);
  const transaction = await clientOf(cluster).begin({ asyncCommit: false, onePC: false });
  await transaction.put("a", "1");
  assert.is(await reasonOf(transaction.commit({ timeoutMs: 1000 })), "timeout");
  await transaction.settled();
  assert.ok(methodsOf(cluster).includes("KvBatchRollback"));
});

test("a pessimistic lock that has run out says nothing of what its transaction writes", async () => {
  const cluster = willing();
  let met: Op = Op.PessimisticLock;
  cluster.script.set("KvGet", () => {
    if (methodsOf(cluster).at(-2) === "KVPessimisticRollback") return GetResponse.make();
    if (methodsOf(cluster).at(-2) === "KvResolveLock") return GetResponse.make();
    const fields = { primaryLock: "b" as Key, lockVersion: 9n, key: "a" as Key, lockType: met };
    return GetResponse.make({ error: KeyError.make({ locked: LockInfo.make(fields) }) });
  });
  let answer = CheckTxnStatusResponse.make({ action: Action.TTLExpirePessimisticRollback });
  cluster.script.set("KvCheckTxnStatus", () => answer);
  const resolved: bigint[] = [];
  cluster.script.set("KvResolveLock", (call) => {
    if (call.method === "KvResolveLock") resolved.push(call.request.commitVersion);
    return ResolveLockResponse.make();
  });
  const client = clientOf(cluster);
  await (await client.snapshot()).get("a");
  // It came back, took its locks again and committed; the secondary is met before it is cleared.
  met = Op.Put;
  answer = CheckTxnStatusResponse.make({ commitVersion: 77n });
  await (await client.snapshot()).get("a");
  assert.equal(resolved, [77n]);
  // That is final: nobody is asked again.
  await (await client.snapshot()).get("a");
  assert.equal(resolved, [77n, 77n]);
  assert.is(methodsOf(cluster).filter((method) => method === "KvCheckTxnStatus").length, 2);
});

test("a key is locked once, and shows what it held then", async () => {
  const cluster = willing();
  const transaction = await clientOf(cluster).begin({ pessimistic: true });
  assert.equal(await transaction.getForUpdate("a"), Uint8Array.of(7));
  await transaction.put("b", "1");
  await transaction.put("a", "2");
  await transaction.put("b", "3");
  assert.is(methodsOf(cluster).filter((method) => method === "KvPessimisticLock").length, 2);
  await transaction.rollback();
});

test("the first key that is locked becomes the primary, not the first that is asked for", async () => {
  const cluster = willing();
  cluster.script.set("KvPessimisticLock", (call) => {
    if (call.method !== "KvPessimisticLock") return undefined;
    const { mutations, primaryLock } = call.request;
    primaries.push(`${mutations[0]?.key} ${primaryLock}`);
    if (mutations[0]?.key !== "a") return PessimisticLockResponse.make({ notFounds: [true] });
    const deadlock = Deadlock.make({ lockTs: 3n });
    return PessimisticLockResponse.make({ errors: [KeyError.make({ deadlock })] });
  });
  const primaries: string[] = [];
  cluster.script.set("KvPrewrite", (call) => {
    if (call.method === "KvPrewrite") primaries.push(`prewrite ${call.request.primaryLock}`);
    return PrewriteResponse.make({ minCommitTs: 5000n });
  });
  const transaction = await clientOf(cluster).begin({ pessimistic: true });
  const [a, z] = [transaction.put("a", "1"), transaction.put("z", "1")];
  assert.is(await reasonOf(a), "deadlock");
  await z;
  await transaction.commit();
  assert.equal(primaries, ["a a", "z z", "prewrite z"]);
  await transaction.settled();
  // The lock that was not to be had may still be given to a call that is on its way.
  assert.ok(cluster.calls.some((call) => call.endsWith("KVPessimisticRollback 1")));
});

test("what an insert found there stays locked, and is committed as such", async () => {
  const cluster = willing();
  const transaction = await clientOf(cluster).begin({ pessimistic: true });
  assert.is(await reasonOf(transaction.insert("a", "1")), "exists");
  const written: string[] = [];
  cluster.script.set("KvPrewrite", (call) => {
    if (call.method !== "KvPrewrite") return undefined;
    for (const { op, key } of call.request.mutations) written.push(`${op} ${key}`);
    assert.is(call.request.primaryLock, "a");
    return PrewriteResponse.make({ minCommitTs: 5000n });
  });
  await transaction.put("z", "1");
  await transaction.commit();
  assert.equal(written, [`${Op.Lock} a`, `${Op.Put} z`]);
});

test("one phase is not tried again once a key may be locked on its own", async () => {
  const cluster = willing();
  const client = clientOf(cluster);
  await client.transaction((both) => both.put("a", "1").then(() => both.put("z", "1")));
  const tried: boolean[] = [];
  cluster.script.set("KvPrewrite", (call) => {
    if (call.method !== "KvPrewrite") return undefined;
    tried.push(call.request.tryOnePc);
    return PrewriteResponse.make({ minCommitTs: 5000n });
  });
  const transaction = await client.begin();
  await transaction.put("a", "1");
  await transaction.put("z", "1");
  // Both parts find the region gone; then one region holds both keys.
  const error = { message: "gone", regionNotFound: { regionId: 1 } };
  for (let i = 0; i < 2; i++) cluster.troubles.push({ type: "region_error", error });
  cluster.regions = new ScriptedCluster().regions;
  await transaction.commit();
  assert.equal(tried, [false]);
});

test("what one phase has committed, unheard, keeps its timestamp when its region is split", async () => {
  const cluster = willing();
  cluster.regions = new ScriptedCluster().regions;
  let isCommitted = false;
  cluster.script.set("KvPrewrite", (call) => {
    if (call.method !== "KvPrewrite" || !call.request.tryOnePc) return PrewriteResponse.make();
    isCommitted = true;
    const error = { message: "split", regionNotFound: { regionId: 1 } };
    cluster.troubles.push({ type: "region_error", error });
    cluster.regions = willing().regions;
    return undefined;
  });
  const commitVersion = 1234n;
  cluster.script.set("KvCheckTxnStatus", () =>
    isCommitted ? CheckTxnStatusResponse.make({ commitVersion }) : undefined,
  );
  const transaction = await clientOf(cluster).begin({ asyncCommit: false });
  await transaction.put("a", "1");
  await transaction.put("z", "1");
  assert.is(await transaction.commit(), commitVersion);
  assert.not(methodsOf(cluster).slice(0, -1).includes("KvCommit"));
});

test("a transaction is kept alive although a heartbeat has failed", async () => {
  const cluster = willing();
  const wakes: (() => void)[] = [];
  const { ports } = cluster;
  const slow = {
    ...ports,
    clock: {
      nowMs: () => cluster.nowMs,
      sleep: async (ms: number): Promise<void> => {
        await new Promise<void>((resolve) => wakes.push(resolve));
        cluster.nowMs += ms;
      },
    },
  };
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await Promise.resolve();
  };
  const client = new TxnClient(new Cluster(slow, ["pd1:1"], "transactional"));
  const transaction = await client.begin({ pessimistic: true, lockTtlMs: 100 });
  await transaction.put("a", "1");
  cluster.script.set("KvTxnHeartBeat", () => undefined);
  for (let i = 0; i < 20; i++) {
    wakes.shift()?.();
    await turns();
  }
  cluster.script.set("KvTxnHeartBeat", () => TxnHeartBeatResponse.make());
  const before = cluster.calls.length;
  for (let i = 0; i < 10; i++) {
    wakes.shift()?.();
    await turns();
  }
  assert.ok(cluster.calls.slice(before).some((call) => call.includes("KvTxnHeartBeat")));
  await transaction.rollback();
});

test.run();
