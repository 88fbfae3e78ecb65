import { readFileSync, readdirSync } from "node:fs";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { GENERATOR } from "./descriptors.ts";

const { generate, GEN_FOLDER } = (await import(new URL("generate.mjs", GENERATOR).href)) as {
  readonly generate: () => Promise<ReadonlyMap<string, string>>;
  readonly GEN_FOLDER: string;
};
const { camelCase } = (await import(new URL("model.mjs", GENERATOR).href)) as {
  readonly camelCase: (name: string) => string;
};

const test = suite("protocol/generated");

test("the committed modules are what `npm run protoc` writes", async () => {
  const modules = await generate();
  assert.equal(readdirSync(GEN_FOLDER).sort(), [...modules.keys()].sort());
  for (const [name, text] of modules) {
    const same = readFileSync(GEN_FOLDER + name, "utf8") === text;
    assert.ok(same, `${name} is stale: run npm run protoc`);
  }
});

test("names of fields become camel case", () => {
  const names = ["region_error", "RecoveryInProgress", "TTL", "GC", "RawGet", "serviceModes", "ID"];
  assert.equal(names.map(camelCase), [
    "regionError",
    "recoveryInProgress",
    "ttl",
    "gc",
    "rawGet",
    "serviceModes",
    "id",
  ]);
});

test.run();
