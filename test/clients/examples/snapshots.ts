/** Reads of one instant, now or then. */
import { connectTxn } from "rutile/client";

const { client, close } = connectTxn(["127.0.0.1:2379"]);
const text = (bytes?: Uint8Array): string => new TextDecoder().decode(bytes);

await client.transaction((t) => t.put("weather", "rain"));
const then = await client.timestamp();
await client.transaction((t) => t.put("weather", "sun"));

const now = await client.snapshot();
console.log(text(await now.get("weather"))); // → sun
const before = await client.snapshot(then);
console.log(text(await before.get("weather"))); // → rain

// From the nearest replica, without asking its leader; the leader where that is not possible yet.
const spared = await client.snapshot(then, { staleRead: true });
console.log(text(await spared.get("weather"))); // → rain
close();
