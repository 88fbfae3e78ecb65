import * as assert from "uvu/assert";
import { Key } from "../../engine/base/bytes.ts";
import { RawGetRequest, RawGetResponse } from "../../engine/protocol/gen/kvrpcpb.ts";
import {
  BatchCommandsRequest_Request,
  BatchCommandsResponse_Response,
} from "../../engine/protocol/gen/tikvpb.ts";
import {
  batchCommandOf,
  batchResponseOf,
  callOfBatchCommand,
  ETCD_CLUSTER_SERVICE,
  ETCD_KV_SERVICE,
  ETCD_LEASE_SERVICE,
  ETCD_MAINTENANCE_SERVICE,
  ETCD_WATCH_SERVICE,
  HEALTH_SERVICE,
  KEYSPACE_SERVICE,
  META_STORAGE_SERVICE,
  METHOD_OF_COMMAND,
  PD_SERVICE,
  replyOfBatchResponse,
  TIKV_SERVICE,
} from "../../engine/protocol/services.ts";
import type {
  BatchCommand,
  MethodRow,
  TikvCall,
  TikvReply,
} from "../../engine/protocol/services.ts";
import { suite } from "../harness.ts";

const test = suite("protocol/services");
const commands = Object.entries(METHOD_OF_COMMAND) as [BatchCommand, TikvCall["method"]][];

/** The default of one type encodes to nothing, so it decodes to the default of the other. */
function commandField(command: BatchCommand, method: TikvCall["method"]): void {
  const row: MethodRow<unknown, unknown> = TIKV_SERVICE.methods[method];
  const request = BatchCommandsRequest_Request.encode({
    cmd: { case: command, value: row.request.make() } as BatchCommandsRequest_Request["cmd"],
  });
  const decoded = BatchCommandsRequest_Request.decode(request);
  assert.ok(decoded.ok && decoded.value.cmd?.case === command, command);
  if (decoded.ok) assert.equal(decoded.value.cmd?.value, row.request.make(), command);
}

test("a command of a batch has the very messages of its unary method", () => {
  for (const [command, method] of commands) commandField(command, method);
});

test("a command becomes a call and a call that command again", () => {
  for (const [command, method] of commands) {
    const row: MethodRow<unknown, unknown> = TIKV_SERVICE.methods[method];
    const cmd = { case: command, value: row.request.make() } as BatchCommandsRequest_Request["cmd"];
    const call = callOfBatchCommand({ cmd });
    assert.is(call?.method, method);
    assert.is(call?.request, cmd?.value);
    if (call !== undefined) assert.equal(batchCommandOf(call), { cmd });
  }
});

test("a reply becomes an answer and an answer that reply again", () => {
  const response = RawGetResponse.make({ notFound: true });
  const answer = batchResponseOf({ method: "RawGet", response });
  assert.equal(answer, { cmd: { case: "rawGet", value: response } });
  assert.equal(replyOfBatchResponse(answer), { method: "RawGet", response });
  const bytes = BatchCommandsResponse_Response.encode(answer);
  assert.equal(BatchCommandsResponse_Response.decode(bytes), { ok: true, value: answer });
});

test("what is no call in a batch becomes none", () => {
  assert.is(callOfBatchCommand({ cmd: undefined }), undefined);
  const empty = { cmd: { case: "empty" as const, value: { testId: 1, delayTime: 0 } } };
  assert.is(callOfBatchCommand(empty), undefined);
});

test("a method that is only called alone has no command, and its reply no place in a batch", () => {
  const request = RawGetRequest.make({ key: Key("k") });
  assert.ok(batchCommandOf({ method: "RawGet", request }) !== undefined);
  const alone = { method: "RawGetKeyTTL", request } as TikvCall;
  assert.is(batchCommandOf(alone), undefined);
  const reply = { method: "RawGetKeyTTL", response: RawGetResponse.make() } as unknown as TikvReply;
  assert.throws(() => batchResponseOf(reply), /what a batch can ask/);
});

test("paths are what clients call", () => {
  const paths = [
    TIKV_SERVICE.methods.RawGet,
    TIKV_SERVICE.methods.KVPessimisticRollback,
    TIKV_SERVICE.methods.BatchCommands,
    PD_SERVICE.methods.GetMembers,
    PD_SERVICE.methods.Tso,
    KEYSPACE_SERVICE.methods.LoadKeyspace,
    META_STORAGE_SERVICE.methods.Get,
    HEALTH_SERVICE.methods.Check,
    ETCD_KV_SERVICE.methods.Range,
    ETCD_WATCH_SERVICE.methods.Watch,
    ETCD_LEASE_SERVICE.methods.LeaseGrant,
    ETCD_CLUSTER_SERVICE.methods.MemberList,
    ETCD_MAINTENANCE_SERVICE.methods.Status,
  ].map((row) => row.path);
  assert.equal(paths, [
    "/tikvpb.Tikv/RawGet",
    "/tikvpb.Tikv/KVPessimisticRollback",
    "/tikvpb.Tikv/BatchCommands",
    "/pdpb.PD/GetMembers",
    "/pdpb.PD/Tso",
    "/keyspacepb.Keyspace/LoadKeyspace",
    "/meta_storagepb.MetaStorage/Get",
    "/grpc.health.v1.Health/Check",
    "/etcdserverpb.KV/Range",
    "/etcdserverpb.Watch/Watch",
    "/etcdserverpb.Lease/LeaseGrant",
    "/etcdserverpb.Cluster/MemberList",
    "/etcdserverpb.Maintenance/Status",
  ]);
});

test("the methods that stream are those that clients stream", () => {
  const streaming = [TIKV_SERVICE, PD_SERVICE].flatMap((service) =>
    Object.entries<MethodRow<unknown, unknown>>(service.methods)
      .filter(([, row]) => row.clientStreaming || row.serverStreaming)
      .map(([name, row]) => `${name} ${row.clientStreaming} ${row.serverStreaming}`),
  );
  assert.equal(streaming, [
    "BatchCommands true true",
    "Tso true true",
    "RegionHeartbeat true true",
    "QueryRegion true true",
    "WatchGlobalConfig false true",
    "ReportBuckets true false",
  ]);
});

test.run();
