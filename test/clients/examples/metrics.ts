/** What the client does, in the registry that the program scrapes anyway. */
import { Registry } from "prom-client";
import { ClientMetrics, connectTxn } from "rutile/client";

const registry = new Registry();
const metrics = new ClientMetrics(registry);
const { client, close } = connectTxn(["127.0.0.1:2379"], { metrics });

await client.transaction((t) => t.put("counted", "x"));

const lines = (await registry.metrics()).split("\n");
console.log(lines.find((line) => line.startsWith("rutile_client_commit_duration_seconds_count")));
// → rutile_client_commit_duration_seconds_count{type="one phase"} 1
close();
