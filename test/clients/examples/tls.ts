/** A cluster that is encrypted, and asks for the client's certificate. */
import { readFileSync } from "node:fs";
import { connectTxn } from "rutile/client";

const { client, close } = connectTxn(["https://127.0.0.1:2379"], {
  tls: {
    ca: readFileSync("ca.pem"),
    cert: readFileSync("client.pem"),
    key: readFileSync("client-key.pem"),
  },
});
await client.transaction((t) => t.put("secret", "x"));
console.log(await (await client.snapshot()).get("secret")); // → Uint8Array(1) [ 120 ]
close();
