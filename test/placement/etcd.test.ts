import * as assert from "uvu/assert";
import { Key } from "../../engine/base/bytes.ts";
import { SAFE_POINT_KEY } from "../../engine/placement/calls/etcd.ts";
import { RangeRequest } from "../../engine/protocol/gen/etcdserverpb.ts";
import { suite } from "../harness.ts";
import { bootstrapped, Cluster } from "./cluster.ts";

const test = suite("placement/etcd");

const text = (bytes: Uint8Array | undefined): string => String.fromCharCode(...(bytes ?? []));

test("the safe point's key is missing until the transaction safe point moves", () => {
  const cluster = bootstrapped();
  const before = cluster.call("Range", RangeRequest.make({ key: SAFE_POINT_KEY }));
  assert.equal([before.kvs.length, before.count, before.header?.revision], [0, 0, 1]);
  cluster.call("AdvanceTxnSafePoint", { keyspaceScope: undefined, target: 90n });
  cluster.call("AdvanceTxnSafePoint", { keyspaceScope: undefined, target: 95n });
  const { kvs, count, header } = cluster.call("Range", RangeRequest.make({ key: SAFE_POINT_KEY }));
  assert.is(text(kvs[0]?.value), "95");
  assert.equal([kvs[0]?.createRevision, kvs[0]?.modRevision, kvs[0]?.version], [2, 3, 2]);
  assert.equal([count, header?.revision, header?.clusterId], [1, 3, cluster.header().clusterId]);
});

test("a call that leaves the transaction safe point where it is makes no revision", () => {
  const cluster = bootstrapped();
  cluster.call("AdvanceTxnSafePoint", { keyspaceScope: undefined, target: 90n });
  cluster.call("AdvanceTxnSafePoint", { keyspaceScope: undefined, target: 90n });
  cluster.call("UpdateGCSafePoint", { safePoint: 80n });
  const { header } = cluster.call("Range", RangeRequest.make({ key: SAFE_POINT_KEY }));
  assert.is(header?.revision, 2);
});

test("the key is found by range and by prefix, alone and without its value where that is asked", () => {
  const cluster = bootstrapped();
  cluster.call("UpdateGCSafePoint", { safePoint: 80n });
  const found = (range: Partial<RangeRequest>): readonly [number, string] => {
    const { kvs, count } = cluster.call("Range", RangeRequest.make(range));
    return [count, kvs.map(({ value }) => text(value)).join()];
  };
  const everything = { key: Key("\0"), rangeEnd: Key("\0") };
  assert.equal(found(everything), [1, "80"]);
  assert.equal(found({ key: Key("/tidb/"), rangeEnd: Key("/tidb0") }), [1, "80"]);
  assert.equal(found({ key: Key("/tidb/"), rangeEnd: SAFE_POINT_KEY }), [0, ""]);
  assert.equal(found({ key: Key("/tidb/") }), [0, ""]);
  assert.equal(found({ ...everything, keysOnly: true }), [1, ""]);
  assert.equal(found({ ...everything, countOnly: true }), [1, ""]);
  assert.equal(found({ ...everything, minModRevision: 3 }), [1, ""]);
});

test("revisions that are not there yet, or no longer, are refused as etcd refuses them", () => {
  const cluster = bootstrapped();
  cluster.call("UpdateGCSafePoint", { safePoint: 80n });
  cluster.call("UpdateGCSafePoint", { safePoint: 81n });
  for (const [revision, words] of [
    [4, "future revision"],
    [2, "has been compacted"],
  ] as const) {
    const answer = cluster.ask(1, "Range", RangeRequest.make({ key: SAFE_POINT_KEY, revision }));
    assert.ok(answer.type === "refuse" && answer.code === 11 && answer.message.includes(words));
  }
});

test("every member lists all members; only the leader reads, which etcd's clients try in turn", () => {
  const cluster = new Cluster(3, 1);
  const leader = cluster.leader();
  cluster.run(500);
  for (const id of [1, 2, 3]) {
    const list = cluster.ask(id, "MemberList", { linearizable: true });
    assert.ok(list.type === "reply" && list.reply.method === "MemberList");
    const { members } = list.reply.response;
    assert.equal(
      members.map(({ id, clientURLs }) => `${id} ${clientURLs.join()}`),
      ["1 http://pd-1:2379", "2 http://pd-2:2379", "3 http://pd-3:2379"],
    );
    const read = cluster.ask(id, "Range", RangeRequest.make({ key: SAFE_POINT_KEY }));
    if (id === leader) assert.is(read.type, "reply");
    else assert.ok(read.type === "refuse" && read.code === 14);
  }
});

test.run();
