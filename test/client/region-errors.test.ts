/** What the client does about each error that a store may answer with, as TiKV's clients do it. */
import * as assert from "uvu/assert";
import type { Key } from "../../engine/base/bytes.ts";
import type { BackoffClass } from "../../engine/client/backoff.ts";
import { Cluster } from "../../engine/client/cluster.ts";
import { ClientError } from "../../engine/client/errors.ts";
import type { Ports } from "../../engine/client/ports.ts";
import { RawClient } from "../../engine/client/raw.ts";
import { Error as RegionError } from "../../engine/protocol/gen/errorpb.ts";
import { suite } from "../harness.ts";
import { regionOf, ScriptedCluster } from "./scripted.ts";

const test = suite("client: region errors");

type Field = Exclude<keyof RegionError, "message">;

interface Reaction {
  /** What the store says beside the message. */
  readonly with: object;
  /** How a read ends that hears it once. */
  readonly ends: "served" | "refused";
  /** How a write ends that may not be made twice, where that is not the same. */
  readonly onceOnly?: "undetermined";
  /** The pause, if there is one. */
  readonly pause?: BackoffClass;
  /** Whether the placement driver is asked where the region is now. */
  readonly looksUp?: boolean;
  /** The store that is asked next: the same where nothing is said. */
  readonly next?: string;
}

const LEADER = { id: 13, storeId: 3, role: 0, isWitness: false };
const forget: Reaction = { with: {}, ends: "served", pause: "region_miss", looksUp: true };
const retry = (pause: BackoffClass): Reaction => ({ with: {}, ends: "served", pause });

const REACTIONS: Readonly<Record<Field, Reaction>> = {
  notLeader: { with: { leader: LEADER }, ends: "served", next: "s3:1" },
  epochNotMatch: {
    with: { currentRegions: [regionOf(1, 2, "" as Key, "" as Key)] },
    ends: "served",
  },
  regionNotFound: forget,
  keyNotInRegion: forget,
  storeNotMatch: forget,
  mismatchPeerId: forget,
  bucketVersionNotMatch: forget,
  regionNotInitialized: forget,
  dataIsNotReady: forget,
  recoveryInProgress: forget,
  isWitness: forget,
  staleCommand: retry("stale_command"),
  serverIsBusy: { ...retry("server_busy"), with: { reason: "debt", backoffMs: 0 } },
  diskFull: retry("disk_full"),
  maxTimestampNotSynced: retry("max_timestamp_not_synced"),
  readIndexNotReady: retry("not_ready"),
  proposalInMergingMode: retry("not_ready"),
  undeterminedResult: { ...retry("stale_command"), onceOnly: "undetermined" },
  raftEntryTooLarge: { with: {}, ends: "refused" },
  flashbackInProgress: { with: {}, ends: "refused" },
  flashbackNotPrepared: { with: {}, ends: "refused" },
};

class Story {
  readonly cluster = new ScriptedCluster();
  readonly pauses: string[] = [];
  lookUps = 0;
  readonly client: RawClient;

  constructor() {
    const { ports } = this.cluster;
    const counting: Ports = {
      ...ports,
      transport: {
        tikv: (address, call, options) => ports.transport.tikv(address, call, options),
        pd: (endpoint, call, options) => {
          if (call.method === "GetRegion") this.lookUps += 1;
          return ports.transport.pd(endpoint, call, options);
        },
      },
      log: (event) => {
        if (event.message === "back off") this.pauses.push(event.class);
      },
    };
    this.client = new RawClient(new Cluster(counting, ["pd1:1"], "raw"));
  }

  /** Everything there is to know before trouble comes. */
  async acquaint(): Promise<void> {
    await this.client.get("a");
    this.cluster.calls.length = 0;
    this.lookUps = 0;
  }
}

const endOf = (operation: Promise<unknown>): Promise<string> =>
  operation.then(
    () => "served",
    (error: unknown) => (error instanceof ClientError ? error.reason : String(error)),
  );

test("there is a reaction to every error of the protocol", () => {
  const fields = Object.keys(RegionError.make()).filter((field) => field !== "message");
  assert.equal(Object.keys(REACTIONS).sort(), fields.sort());
});

for (const [field, reaction] of Object.entries(REACTIONS)) {
  const error = { message: `it is ${field}`, [field]: reaction.with };
  const { ends, onceOnly, pause, looksUp, next } = reaction;

  test(`${field}: ${ends}, ${pause ?? "at once"}${looksUp === true ? ", looked up" : ""}`, async () => {
    const story = new Story();
    await story.acquaint();
    if (next !== undefined) story.cluster.leaders.set(1, LEADER.storeId);
    story.cluster.troubles.push({ type: "region_error", error });
    assert.is(await endOf(story.client.get("a")), ends);
    assert.equal(story.pauses, pause === undefined ? [] : [pause]);
    assert.is(story.lookUps, looksUp === true ? 1 : 0);
    const asked = story.cluster.calls.map((call) => call.split(" ")[0]);
    assert.equal(asked, ends === "served" ? ["s1:1", next ?? "s1:1"] : ["s1:1"]);
    const other = new Story();
    other.cluster.troubles.push({ type: "region_error", error });
    assert.is(await endOf(other.client.compareAndSwap("a", undefined, "b")), onceOnly ?? ends);
  });
}

test("a timestamp that the oracle never gave is refused, which only the message says", async () => {
  const story = new Story();
  const error = { message: "invalid max_ts update: 9 is beyond what the oracle gives" };
  story.cluster.troubles.push({ type: "region_error", error });
  assert.is(await endOf(story.client.get("a")), "refused");
});

test("any other error without a field means that the region is looked up again", async () => {
  const story = new Story();
  await story.acquaint();
  const error = { message: "Deadline is exceeded" };
  story.cluster.troubles.push({ type: "region_error", error });
  assert.is(await endOf(story.client.get("a")), "served");
  assert.equal([story.pauses, story.lookUps], [["region_miss"], 1]);
});

test("of what servers say in a status, only what no attempt would change is final", async () => {
  for (const [code, end] of [
    [3, "served"],
    [7, "refused"],
    [12, "refused"],
    [13, "served"],
    [16, "refused"],
  ] as const) {
    const story = new Story();
    story.cluster.troubles.push({ type: "refused", message: "no", code });
    assert.is(await endOf(story.client.get("a")), end, `status ${code}`);
  }
});

test.run();
