/** Garbage collection through real servers: written by the client, collected by themselves. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import { Context, MvccGetByKeyRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { GetMembersRequest, GetRegionRequest } from "../../engine/protocol/gen/pdpb.ts";
import { connectTxn } from "../../runtime/client/index.ts";
import { GrpcTransport } from "../../runtime/client/transport.ts";
import { pdSettings } from "../../runtime/config/pd.ts";
import { tikvSettings } from "../../runtime/config/tikv.ts";
import type { Logger } from "../../runtime/log.ts";
import type { RunningNode, Started } from "../../runtime/node/node.ts";
import { startPdServer } from "../../runtime/node/pd-server.ts";
import { startTikvServer } from "../../runtime/node/tikv-server.ts";
import { suite } from "../harness.ts";

const test = suite("runtime/collector");

const failed = (reason: string): void => {
  throw new Error(reason);
};
const node = (started: Started): RunningNode => {
  if (!started.ok) throw new Error(started.detail);
  return started.node;
};
const anyPort = { host: "127.0.0.1", port: 0 };

test("a placement driver that leads has old versions collected, down to one", async () => {
  const directory = mkdtempSync(join(tmpdir(), "rutile-collector-"));
  const lines: string[] = [];
  const logger: Logger = {
    log: (_, message) => lines.push(message),
    close: () => undefined,
  };
  const port = 20_000 + (process.pid % 20_000);
  const pd = `127.0.0.1:${port}`;
  const settings = pdSettings(
    {
      dataDir: join(directory, "pd"),
      clientUrls: [`http://${pd}`],
      peerUrls: [`http://127.0.0.1:${port + 1}`],
    },
    { "gc.run-interval": 1000, "gc.life-time": 1000 },
    { seed: 1, clusterIdSeed: 1n },
  );
  if (!settings.ok) throw new Error(settings.detail);
  const flags = { pdEndpoints: [pd], addr: anyPort, statusAddr: anyPort };
  const store = tikvSettings({ ...flags, dataDir: join(directory, "store") }, {}, 1);
  if (!store.ok) throw new Error(store.detail);
  const driver = node(await startPdServer(settings.value, logger, failed));
  const hurried: typeof store.settings = {
    ...store.settings,
    store: (addr, status) => {
      const config = store.settings.store(addr, status);
      return { ...config, collection: { ...config.collection, pollMs: 100 } };
    },
  };
  const server = node(await startTikvServer(hurried, logger, failed));
  const { client, close } = connectTxn([pd]);
  const transport = new GrpcTransport();
  try {
    for (let i = 1; i <= 5; i++) await client.transaction((txn) => txn.put("k", `value ${i}`));
    const left = async (): Promise<number> => writesOf(transport, pd, "k" as Key);
    assert.is(await left(), 5);
    const early = await client.snapshot();
    for (let tries = 0; (await left()) > 1; tries++) {
      assert.ok(tries < 100, "the versions were never collected");
      await sleep(100);
    }
    const newest = await (await client.snapshot()).get("k");
    assert.is(String.fromCharCode(...(newest ?? [])), "value 5");
    for (let tries = 0; ; tries++) {
      const refusal = await early.get("k").then(
        () => "",
        (error: unknown) => String(error),
      );
      if (refusal.includes("GC life time is shorter")) break;
      assert.ok(tries < 100, `a reader of old is served: ${refusal}`);
      await sleep(100);
    }
    assert.ok(lines.includes("moved the safe points"));
  } finally {
    close();
    transport.close();
    await server.stop();
    await driver.stop();
    rmSync(directory, { recursive: true });
  }
});

/** How many write records the store has of the key. */
async function writesOf(transport: GrpcTransport, pd: string, key: Key): Promise<number> {
  const options = { timeoutMs: 2000, signal: undefined };
  const members = await transport.pd(
    pd,
    { method: "GetMembers", request: GetMembersRequest.make() },
    options,
  );
  assert.ok(members.ok && members.reply.method === "GetMembers");
  const { header } = members.reply.response;
  const request = GetRegionRequest.make({
    header: { clusterId: header?.clusterId ?? 0n, senderId: 0, callerId: "", callerComponent: "" },
  });
  const found = await transport.pd(pd, { method: "GetRegion", request }, options);
  assert.ok(found.ok && found.reply.method === "GetRegion");
  const { region, leader } = found.reply.response;
  const context = Context.make({
    regionId: region?.id ?? 0,
    regionEpoch: region?.regionEpoch,
    peer: leader,
  });
  const asked = { storeId: leader?.storeId ?? 0, header: request.header };
  const store = await transport.pd(pd, { method: "GetStore", request: asked }, options);
  assert.ok(store.ok && store.reply.method === "GetStore");
  const answer = await transport.tikv(
    store.reply.response.store?.address ?? "",
    { method: "MvccGetByKey", request: MvccGetByKeyRequest.make({ context, key }) },
    options,
  );
  assert.ok(answer.ok && answer.reply.method === "MvccGetByKey");
  return answer.reply.response.info?.writes.length ?? 0;
}

test.run();
