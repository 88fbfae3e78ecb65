/** What the placement driver says over HTTP of the timestamp up to which data are settled. */
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { startSmallCluster } from "./small-cluster.ts";

const test = suite("runtime/min-resolved-ts");

test("stores tell, and the page says in every digit, how far data are settled", async () => {
  const tikv = { "resolved-ts.advance-ts-interval": 100 };
  const cluster = await startSmallCluster({ tikv });
  const page = async (rest: string): Promise<string> => {
    const answer = await fetch(`http://${cluster.pd}/pd/api/v1/min-resolved-ts${rest}`);
    return answer.text();
  };
  try {
    const before = BigInt(Date.now() - 60_000) << 18n;
    let said = 0n;
    for (let tries = 0; said < before; tries++) {
      assert.ok(tries < 100, "nothing is settled");
      await sleep(100);
      said = BigInt(/"min_resolved_ts":(\d+)/.exec(await page(""))?.[1] ?? "0");
    }
    assert.match(await page("?scope=cluster"), /"stores_min_resolved_ts":\{"\d+":\d+\}/);
    assert.match(await page("/77777"), "store 77777 not found");
  } finally {
    await cluster.stop();
  }
});

test.run();
