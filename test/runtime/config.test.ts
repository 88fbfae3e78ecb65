/** Configuration files and flags: what is refused, and by which words. */
import * as assert from "uvu/assert";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";
import { formatAddress, parseAddress } from "../../runtime/network/address.ts";
import { parseConfig } from "../../runtime/config/file.ts";
import { READERS } from "../../runtime/config/kinds.ts";
import { memberId, PD_SCHEMA, pdSettings } from "../../runtime/config/pd.ts";
import { TIKV_SCHEMA, tikvSettings } from "../../runtime/config/tikv.ts";
import { formatLine } from "../../runtime/log.ts";
import { suite } from "../harness.ts";

const test = suite("runtime/config");

const SEEDS = { seed: 1, clusterIdSeed: 2n };

const refusal = (text: string): string => {
  const loaded = parseConfig(text, "tikv.toml", TIKV_SCHEMA);
  return loaded.ok ? "accepted" : loaded.detail;
};

test("every kind of value is read from TiKV's spellings", () => {
  const loaded = parseConfig(
    `
log-level = "debug"
[server]
addr = "127.0.0.1:20160"
labels = { zone = "a", host = "b" }
[storage]
data-dir = "/data"
enable-ttl = true
[pd]
endpoints = ["127.0.0.1:2379", "127.0.0.1:2381"]
[raftstore]
capacity = "1.5GiB"
raft-base-tick-interval = "1m30s"
raft-heartbeat-ticks = 3
`,
    "tikv.toml",
    TIKV_SCHEMA,
  );
  assert.ok(loaded.ok);
  assert.equal(loaded.ok ? loaded.values : {}, {
    "log-level": "debug",
    "server.addr": { host: "127.0.0.1", port: 20160 },
    "server.labels": [
      { key: "zone", value: "a" },
      { key: "host", value: "b" },
    ],
    "storage.data-dir": "/data",
    "storage.enable-ttl": true,
    "pd.endpoints": ["127.0.0.1:2379", "127.0.0.1:2381"],
    "raftstore.capacity": 1.5 * 2 ** 30,
    "raftstore.raft-base-tick-interval": 90_000,
    "raftstore.raft-heartbeat-ticks": 3,
  });
});

const settingsOf = (text: string): ReturnType<typeof tikvSettings> => {
  const loaded = parseConfig(text, "tikv.toml", TIKV_SCHEMA);
  if (!loaded.ok) throw new Error(loaded.detail);
  return tikvSettings({}, loaded.values, 1);
};

test("the tree is kept as TiKV's names for it say, and as by default without them", () => {
  const lsmOf = (text: string): object | undefined => {
    const made = settingsOf(text);
    const address = { host: "127.0.0.1", port: 1 };
    return made.ok ? made.settings.store(address, address).storage.lsm : undefined;
  };
  const small = '[rocksdb.defaultcf]\nwrite-buffer-size = "16MiB"\n';
  assert.equal(lsmOf(small), { ...DEFAULT_LSM, levelBytes: 64 << 20, debtBytes: 64 << 20 });
  const text = `
[rocksdb]
max-background-jobs = 2
rate-bytes-per-sec = "10MiB"
[rocksdb.defaultcf]
block-size = "4KiB"
bloom-filter-bits-per-key = 0
compression-per-level = ["no", "no", "lz4", "lz4", "lz4", "lz4", "lz4"]
target-file-size-base = "16MiB"
level0-file-num-compaction-trigger = 8
max-bytes-for-level-base = "1GiB"
max-bytes-for-level-multiplier = 5
`;
  assert.equal(lsmOf(text), {
    ...DEFAULT_LSM,
    table: { ...DEFAULT_LSM.table, blockBytes: 4096, filterBits: 0 },
    compactions: 2,
    bytesPerSecond: 10 << 20,
    compressFrom: 2,
    tableBytes: 16 << 20,
    levelZeroTables: 8,
    levelBytes: 1 << 30,
    debtBytes: 1 << 30,
    levelGrowth: 5,
  });
});

test("a limit of memory is parted among cache and memtables, unless they are said too", () => {
  const partsOf = (text: string): readonly number[] => {
    const made = settingsOf(text);
    if (!made.ok) throw new Error(made.detail);
    const address = { host: "127.0.0.1", port: 1 };
    const { cacheBytes, memtableBytes, throttle } = made.settings.store(address, address);
    return [throttle.memoryBytes, cacheBytes, memtableBytes].map((bytes) => bytes / (1 << 20));
  };
  assert.equal(partsOf('memory-usage-limit = "256MiB"'), [256, 96, 16]);
  assert.equal(partsOf('memory-usage-limit = "64GiB"'), [65536, 24576, 128]);
  const text = `memory-usage-limit = "256MiB"
[storage.block-cache]
capacity = "8MiB"
[rocksdb.defaultcf]
write-buffer-size = "4MiB"
`;
  assert.equal(partsOf(text), [256, 8, 4]);
  const [limit, cache, memtable] = partsOf("");
  assert.ok(limit! > cache! + 5 * memtable!);
  const crowded = settingsOf(text.replace('"4MiB"', '"60MiB"'));
  assert.match(crowded.ok ? "accepted" : crowded.detail, /memory-usage-limit must hold/);
});

test("a setting that would make a tree that cannot work is refused by its name", () => {
  const said = (text: string): string => {
    const made = settingsOf(`[rocksdb.defaultcf]\n${text}`);
    return made.ok ? "accepted" : made.detail;
  };
  const prefix = "rocksdb.defaultcf.";
  assert.is(said('block-size = "2MiB"'), `${prefix}block-size must be from 1KiB to 1MiB`);
  assert.match(said("max-bytes-for-level-multiplier = 1"), `${prefix}max-bytes-for-level-mult`);
  for (const codecs of ['["no"]', '["lz4","no","no","no","no","no","no"]', '["zstd"]']) {
    assert.match(said(`compression-per-level = ${codecs}`), `${prefix}compression-per-level must`);
  }
});

test("an unknown key is refused by its name and line", () => {
  assert.is(
    refusal(`[server]\naddr = "127.0.0.1:1"\nadr = "x"\n`),
    "tikv.toml:3: unknown configuration key server.adr",
  );
  assert.is(refusal(`[nothing]\nx = 1\n`), "tikv.toml:1: unknown configuration key nothing");
  assert.is(refusal(`a = 1\n`), "tikv.toml:1: unknown configuration key a");
});

test("a value of another kind is refused by its key and line", () => {
  assert.is(
    refusal(`\n[raftstore]\ncapacity = "much"\n`),
    'tikv.toml:3: raftstore.capacity must be a size such as "8MiB"',
  );
  assert.is(
    refusal(`server.addr = 20160\n`),
    'tikv.toml:1: server.addr must be an address as "host:port"',
  );
  assert.is(refusal(`server = 1\n`), "tikv.toml:1: server must be a table");
});

test("text that is no TOML is refused by its line", () => {
  assert.match(refusal(`[server]\naddr = \n`), /^tikv\.toml:2: /);
});

test("flags win over the file", () => {
  const made = tikvSettings(
    { addr: { host: "127.0.0.1", port: 1 } },
    { "server.addr": { host: "127.0.0.1", port: 2 }, "storage.data-dir": "d" },
    7,
  );
  assert.ok(made.ok);
  if (!made.ok) return;
  assert.is(made.settings.addr.port, 1);
  assert.is(made.settings.dataDir, "d");
  const config = made.settings.store({ host: "h", port: 1 }, { host: "h", port: 2 });
  assert.is(config.address, "h:1");
  assert.is(config.seed, 7);
});

test("a store's lease is shorter than its election timeout", () => {
  const { leaseMs, electionMs } = (() => {
    const made = tikvSettings({}, {}, 1);
    if (!made.ok) throw new Error(made.detail);
    return made.settings.store({ host: "h", port: 1 }, { host: "h", port: 2 }).region.raft;
  })();
  assert.ok(leaseMs <= electionMs * 0.9);
  const made = tikvSettings({}, { "raftstore.raft-store-max-leader-lease": 950 }, 1);
  assert.match(made.ok ? "" : made.detail, /^raftstore\.raft-store-max-leader-lease must be/);
});

test("a timestamp's drift must be greater than what passes between two looks at the oracle", () => {
  const made = tikvSettings({}, { "storage.max-ts.max-drift": 15_000 }, 1);
  assert.is(
    made.ok ? "" : made.detail,
    "storage.max-ts.max-drift must be greater than storage.max-ts.cache-sync-interval",
  );
});

test("an address that nobody else can reach must be advertised as another", () => {
  const made = tikvSettings({ addr: { host: "0.0.0.0", port: 20160 } }, {}, 1);
  assert.match(made.ok ? "" : made.detail, /--advertise-addr is needed/);
  const pd = pdSettings({ clientUrls: ["http://0.0.0.0:2379"] }, {}, SEEDS);
  assert.match(pd.ok ? "" : pd.detail, /--advertise-client-urls is needed/);
});

test("the placement driver's endpoints are addresses, with a scheme or without", () => {
  const made = tikvSettings({ pdEndpoints: ["http://pd-1:2379", "pd-2:2379"] }, {}, 1);
  assert.ok(made.ok);
  assert.equal(made.settings.pdEndpoints, ["pd-1:2379", "pd-2:2379"]);
  const refused = tikvSettings({ pdEndpoints: ["pd-1"] }, {}, 1);
  assert.is(refused.ok ? "" : refused.detail, "--pd-endpoints must be as host:port,..., not pd-1");
});

test("the members of a placement driver are the same on each, in order of id", () => {
  const initialCluster =
    "a=http://127.0.0.1:1,b=http://127.0.0.1:2,c=http://127.0.0.1:3,a=http://[::1]:1";
  const of = (name: string): readonly unknown[] => {
    const made = pdSettings({ name, initialCluster }, {}, SEEDS);
    if (!made.ok) throw new Error(made.detail);
    return made.value.placement.members.map(({ id, peerUrls }) => [id, peerUrls]);
  };
  assert.equal(of("a"), of("b"));
  assert.is(of("a").length, 3);
  const ids = ["a", "b", "c"].map(memberId).sort((x, y) => x - y);
  assert.equal(
    of("a").map((member) => (member as readonly unknown[])[0]),
    ids,
  );
});

test("a window of timestamps that is shorter than a tick or two is refused", () => {
  const said = (windowMs: number): string => {
    const made = pdSettings({}, { "tso-save-interval": windowMs }, SEEDS);
    return made.ok ? `${made.value.placement.windowMs}` : made.detail;
  };
  assert.is(said(200), "200");
  assert.is(said(199), "tso-save-interval must be at least 200ms");
});

test("a malformed member list is refused in words", () => {
  const detail = (flags: Parameters<typeof pdSettings>[0]): string => {
    const made = pdSettings(flags, {}, SEEDS);
    return made.ok ? "accepted" : made.detail;
  };
  assert.match(detail({ initialCluster: "pd" }), /must be as name=http:\/\/host:port,..., not pd/);
  assert.match(detail({ initialCluster: "x=http://127.0.0.1:1" }), /does not name this member, pd/);
  assert.match(detail({ clientUrls: ["127.0.0.1:1"] }), /^--client-urls must be a URL/);
  assert.ok(parseConfig(`name = "a"\n`, "pd.toml", PD_SCHEMA).ok);
});

test("addresses are read and written alike", () => {
  for (const text of ["127.0.0.1:1", "[::1]:65535", "host.name:0"]) {
    const address = parseAddress(text);
    assert.is(address === undefined ? "" : formatAddress(address), text);
  }
  for (const text of ["host", "host:", ":1", "host:65536", "host:1/x", "::1:2"]) {
    assert.is(parseAddress(text), undefined, text);
  }
});

test("labels come as text and as a table", () => {
  const expected = { ok: true, value: [{ key: "zone", value: "a" }] };
  assert.equal(READERS.labels("zone=a"), expected);
  assert.equal(READERS.labels({ zone: "a" }), expected);
  assert.not.ok(READERS.labels("zone").ok);
});

test("a line of the log is one line in TiKV's format", () => {
  const line = formatLine(new Date(2026, 0, 31, 13, 5, 9, 7), "warn", "a peer\nis lost", {
    peer: 3,
    reason: "no route",
    left_out: undefined,
  });
  const [time = "", ...rest] = line.split("] ");
  assert.match(time, /^\[2026\/01\/31 13:05:09\.007 [+-]\d\d:\d\d$/);
  assert.is(rest.join("] "), '[WARN] ["a peer\\nis lost"] [peer=3] [reason="no route"]\n');
});

test.run();
