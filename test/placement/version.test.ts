import * as assert from "uvu/assert";
import {
  compareVersions,
  isCompatible,
  parseVersion,
} from "../../engine/placement/catalog/version.ts";
import type { Version } from "../../engine/placement/catalog/version.ts";
import { suite } from "../harness.ts";

const test = suite("placement/version");

function version(text: string): Version {
  const parsed = parseVersion(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

test("versions are ordered by number, and a pre-release comes before its release", () => {
  const ascending = ["", "2.1.0-rc.1", "v2.1.0", "2.1.10", "2.10.0", "8.5.0-alpha", "8.5.0"];
  for (const [i, text] of ascending.entries()) {
    for (const [j, other] of ascending.entries()) {
      assert.is(Math.sign(compareVersions(version(text), version(other))), Math.sign(i - j));
    }
  }
});

test("what is no semantic version is none", () => {
  for (const text of ["8", "8.5", "8.5.x", "x8.5.0", "8.5.0.", " 8.5.0", "8.5.0-"]) {
    assert.is(parseVersion(text), undefined, text);
  }
});

test("a store may be newer than the cluster, or an older patch of the same series", () => {
  const cluster = version("8.5.2");
  assert.ok(isCompatible(cluster, version("9.0.0-beta")));
  assert.ok(isCompatible(cluster, version("8.5.0")));
  assert.not(isCompatible(cluster, version("8.4.9")));
});

test.run();
