import { Registry } from "prom-client";
import * as assert from "uvu/assert";
import { Cluster } from "../../engine/client/cluster.ts";
import type { Ports } from "../../engine/client/ports.ts";
import { RawClient } from "../../engine/client/raw.ts";
import { Timestamp } from "../../engine/base/timestamp.ts";
import { ClientMetrics } from "../../runtime/client/metrics.ts";
import { ScriptedCluster } from "../client/scripted.ts";
import { suite } from "../harness.ts";

const test = suite("client metrics");

test("calls are counted by method, and what failed of them", async () => {
  const registry = new Registry();
  const metrics = new ClientMetrics(registry);
  const cluster = new ScriptedCluster();
  const ports: Ports = {
    ...cluster.ports,
    transport: metrics.measured(cluster.ports.transport),
    log: (event) => metrics.take(event),
  };
  const client = new RawClient(new Cluster(ports, ["pd1:1"], "raw"));
  await client.put("a", "1");
  cluster.troubles.push({ type: "lost" });
  // The next member is asked, and names the leader.
  await client.get("a");
  const text = await registry.metrics();
  assert.match(text, 'rutile_client_request_duration_seconds_count{type="RawPut"} 1\n');
  assert.match(text, 'rutile_client_request_duration_seconds_count{type="RawGet"} 3\n');
  assert.match(text, 'rutile_client_request_fail_total{type="RawGet"} 1\n');
  assert.match(text, 'rutile_client_backoff_total{type="store_rpc"} 1\n');
});

test("commits are counted by how they were made, and failures by their reason", async () => {
  const registry = new Registry();
  const metrics = new ClientMetrics(registry);
  const startTs = Timestamp(1n);
  const commitTs = Timestamp(2n);
  metrics.take({ message: "committed", startTs, commitTs, how: "one phase", keys: 1, ms: 3 });
  metrics.take({ message: "not committed", startTs, reason: "conflict", because: "x", ms: 1 });
  const text = await registry.metrics();
  assert.match(text, 'rutile_client_commit_duration_seconds_count{type="one phase"} 1\n');
  assert.match(text, 'rutile_client_commit_fail_total{type="conflict"} 1\n');
});

test.run();
