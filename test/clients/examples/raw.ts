/** Single keys and ranges without transactions. */
import { connectRaw } from "rutile/client";

const { client: raw, close } = connectRaw(["127.0.0.1:2379"]);
const text = (bytes?: Uint8Array): string => new TextDecoder().decode(bytes);

await raw.put("mineral/rutile", "TiO2");
await raw.batchPut([
  ["mineral/halite", "NaCl"],
  ["mineral/quartz", "SiO2"],
]);
console.log(text(await raw.get("mineral/rutile"))); // → TiO2
console.log(await raw.get("mineral/none")); // → undefined

for await (const { key, value } of raw.scan({ start: "mineral/", end: "mineral0" })) {
  console.log(text(key), text(value));
}
// → mineral/halite NaCl
// → mineral/quartz SiO2
// → mineral/rutile TiO2

const { swapped, previous } = await raw.compareAndSwap(
  "mineral/rutile",
  "TiO2",
  "titanium dioxide",
);
console.log(swapped, text(previous)); // → true TiO2

await raw.deleteRange("mineral/", "mineral0");
close();
