/**
 * `docs/rpcs.md` lists what is served, by asking: stores and placement driver are given one empty
 * request of every method there is. With UPDATE=1 the lists are written.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { Ticket } from "../../engine/base/ids.ts";
import {
  COMMAND_OF_METHOD,
  ETCD_CLUSTER_SERVICE,
  ETCD_KV_SERVICE,
  KEYSPACE_SERVICE,
  META_STORAGE_SERVICE,
  PD_SERVICE,
  TIKV_SERVICE,
} from "../../engine/protocol/services.ts";
import type { MethodRow, TikvCall } from "../../engine/protocol/services.ts";
import { step } from "../../engine/store/index.ts";
import { suite } from "../harness.ts";
import { bootstrapped } from "../placement/cluster.ts";
import { Cluster } from "../store/harness.ts";

const test = suite("runtime/served calls");

const file = fileURLToPath(new URL("../../../docs/rpcs.md", import.meta.url));
const UNIMPLEMENTED = 12;
type Rows = Readonly<Record<string, MethodRow<unknown, unknown>>>;

/** A line of the page for every method: how it may be called, or that it may not. */
function page(): string {
  const driver = [
    PD_SERVICE,
    KEYSPACE_SERVICE,
    META_STORAGE_SERVICE,
    ETCD_KV_SERVICE,
    ETCD_CLUSTER_SERVICE,
  ];
  const answers = driverAnswers();
  const lists = [
    list(TIKV_SERVICE, storeAnswers()),
    ...driver.map((service) => list(service, answers)),
  ];
  return lists.join("\n");
}

function list(
  service: { readonly name: string; readonly methods: object },
  answers: (method: string, row: MethodRow<unknown, unknown>) => boolean,
): string {
  const rows = Object.entries(service.methods as Rows);
  const served = (method: string, row: MethodRow<unknown, unknown>): string => {
    if (method === "BatchCommands") return "a stream of calls";
    if (!answers(method, row)) return "no";
    if (row.clientStreaming) return "stream";
    return COMMAND_OF_METHOD.has(method) ? "alone, in batches" : "alone";
  };
  const lines = rows.map(([method, row]) => `| \`${method}\` | ${served(method, row)} |`);
  return [`## ${service.name}`, "", "| method | served |", "| --- | --- |", ...lines, ""].join(
    "\n",
  );
}

function storeAnswers(): (method: string, row: MethodRow<unknown, unknown>) => boolean {
  const cluster = new Cluster(1);
  cluster.run(4000);
  const [node] = cluster.nodes;
  return (method, row) => {
    assert.ok(node?.state !== undefined);
    const call = { method, request: row.request.make() } as TikvCall;
    const input = { type: "request", ticket: Ticket(1e6), call } as const;
    const { effects } = step(node.state, cluster.now, node.tables, [input]);
    return !effects.some((effect) => effect.type === "refuse" && effect.code === UNIMPLEMENTED);
  };
}

function driverAnswers(): (method: string, row: MethodRow<unknown, unknown>) => boolean {
  const cluster = bootstrapped();
  return (method, row) => {
    const request = { ...(row.request.make() as object), header: cluster.header() };
    const answer = cluster.ask(1, method as "GetRegion", request as never);
    return answer.type !== "refuse" || answer.code !== UNIMPLEMENTED;
  };
}

test("the page names every method of every service, and says truly how it is served", () => {
  const text = readFileSync(file, "utf8");
  const at = text.indexOf("## tikvpb.Tikv");
  assert.ok(at > 0);
  const made = page();
  if (process.env["UPDATE"] === "1") writeFileSync(file, text.slice(0, at) + made);
  else assert.fixture(text.slice(at), made);
});

test.run();
