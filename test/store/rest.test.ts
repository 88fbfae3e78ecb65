import * as assert from "uvu/assert";
import { Context, RawPutRequest } from "../../engine/protocol/gen/kvrpcpb.ts";
import { Key } from "../../engine/base/bytes.ts";
import { suite } from "../harness.ts";
import { Cluster } from "./harness.ts";

const test = suite("a store at rest");

test("nobody writes for two seconds, and the tree hears of it; the next layer ends that", () => {
  const cluster = new Cluster(1, { memtableBytes: 2000 });
  cluster.run(5000);
  const rests = (): boolean | undefined => cluster.nodes[0]!.state?.storage.tree.resting;
  const put = (key: string): void => {
    const { node, replica } = cluster.leaderAt("");
    const { region, peer } = replica;
    const context = Context.make({ regionId: region.id, regionEpoch: region.regionEpoch, peer });
    const request = RawPutRequest.make({ context, key: Key(key), value: new Uint8Array(100) });
    cluster.call(node, { method: "RawPut", request });
  };
  assert.is(rests(), true);
  for (let i = 0; i < 40; i++) put(`k${i}`);
  assert.is(rests(), false);
  for (let i = 0; i < 5; i++) {
    cluster.run(1000);
    assert.is(rests(), false, "a write a second is no rest");
    put(`later ${i}`);
  }
  cluster.run(3000);
  assert.is(rests(), true);
});

test.run();
