/**
 * Three Rutile stores and a placement driver against a three-member etcd, under one load generator
 * on one machine. Rounds alternate between the systems, so that both see the machine's good and bad
 * minutes; the figure that counts is operations per second of CPU that all servers took together.
 *
 * Gets are measured after a restart with every key present: etcd 3.4 answers gets more slowly after
 * a burst of puts until it is restarted, and a peer is measured at its best.
 *
 * A window begins when the servers have finished what came of filling or starting them; what a
 * load makes them do later counts for the loads that follow.
 *
 * With `--memory MB` each store of ours keeps to a budget (etcd has none to set); with
 * `--spill MB` there are eight times as many data as that. What each process held at most, on
 * either side of the restart, and what lies on its disk in the end is told beside the figures.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { quiet } from "./cluster/cpu.ts";
import { hasEtcd, startEtcd } from "./cluster/etcd.ts";
import { measure, preload } from "./cluster/loadgen.ts";
import type { CpuGroups, KeySpace, Report, Shape, Target } from "./cluster/loadgen.ts";
import { startCluster } from "./cluster/rutile.ts";
import { describeSizes, sizesOf } from "./cluster/sizes.ts";
import { printSamples } from "./cluster/table.ts";
import type { Samples } from "./cluster/table.ts";
import { buildGo } from "./go.ts";
import { positive, refuseOption } from "./options.ts";
import { peakMemory, spaceBelow } from "./storage/resources.ts";

export const name = "cluster";
export const summary =
  "three processes against a three-member etcd: puts and gets (needs go, etcd)";

const MIB = 1024 * 1024;

/** How long servers may take to bring what they were filled with into order. */
const REST_SECONDS = 90;

const many = { clients: 256, connections: 8 };
const lone = { clients: 1, connections: 1 };
const put: Shape = { op: "put", batch: false, ...many };
const get: Shape = { op: "get", batch: false, ...many };

/** What is measured on a store that was filled, and then after a restart. */
interface Course {
  readonly fresh: readonly (readonly [label: string, shape: Shape])[];
  readonly restarted: readonly (readonly [label: string, shape: Shape])[];
}

const etcdCourse: Course = {
  fresh: [
    ["put", put],
    ["lone put", { ...put, ...lone }],
  ],
  restarted: [
    ["get", get],
    ["lone get", { ...get, ...lone }],
  ],
};

const rutileCourse: Course = {
  fresh: [
    ["put", put],
    ["batched put", { ...put, batch: true }],
    ["lone put", { ...put, ...lone }],
  ],
  restarted: [
    ["get", get],
    ["batched get", { ...get, batch: true }],
    ["lone get", { ...get, ...lone }],
  ],
};

/** A started system as the rounds see it. */
interface System {
  target(): Promise<Target>;
  cpu(): CpuGroups;
  /** Those that keep the data. */
  servers(): readonly number[];
  /** Where each of them keeps them. */
  directories(): readonly string[];
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export const options = {
  seconds: { type: "string", default: "5", argument: "N", help: "length of a window" },
  rounds: { type: "string", default: "3", argument: "N", help: "rounds that count" },
  directory: {
    type: "string",
    default: "rutile-data",
    argument: "DIR",
    help: "where the servers keep their data; removed at the end",
  },
  only: { type: "string", argument: "SYSTEM", help: "etcd or rutile; both without it" },
  keys: { type: "string", argument: "N", help: "keys, all of them present (100000)" },
  value: { type: "string", argument: "BYTES", help: "size of a value (128; 512 with --spill)" },
  memory: { type: "string", argument: "MB", help: "budget of each store of ours" },
  spill: { type: "string", argument: "MB", help: "that budget, and data of eight times as much" },
} as const;

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options });
  const seconds = positive("seconds", values.seconds);
  const rounds = positive("rounds", values.rounds);
  const sizes = sizesOf(values);
  const systems = (["etcd", "rutile"] as const).filter(
    (system) => values.only === undefined || values.only === system,
  );
  if (systems.length === 0) refuseOption(`--only ${values.only}: neither etcd nor rutile`);
  const loadgen = await buildGo("bench/cluster/loadgen");
  if (loadgen === undefined) {
    console.log("cluster: skipped: no go on this machine to build the load generator with");
    return;
  }
  if (systems.includes("etcd") && !(await hasEtcd())) {
    console.log("cluster: no etcd on this machine (Debian's etcd-server); Rutile is run alone");
    systems.splice(systems.indexOf("etcd"), 1);
  }
  const root = resolve(values.directory);
  mkdirSync(root, { recursive: true });
  const samples: Samples = { etcd: new Map(), rutile: new Map() };
  console.log(describeSizes(sizes));
  for (let round = 1; round <= rounds; round += 1) {
    for (const system of systems) {
      const directory = mkdtempSync(join(root, `bench-${system}-`));
      try {
        const course = system === "etcd" ? etcdCourse : rutileCourse;
        const started =
          system === "etcd" ? await etcd(directory) : await rutile(directory, sizes.memory);
        try {
          const tell = (line: string): void => console.log(`round ${round} ${system} ${line}`);
          await follow(course, started, loadgen, sizes.space, seconds, tell, (label, report) => {
            tell(describe(label, report));
            const reports = samples[system].get(label) ?? [];
            samples[system].set(label, [...reports, report]);
          });
          const disk = started.directories().map((place) => Math.round(spaceBelow(place) / MIB));
          tell(`on the disk, MiB: ${disk.join(", ")}`);
        } finally {
          await started.stop();
        }
      } finally {
        rmSync(directory, { recursive: true });
      }
    }
  }
  printSamples(samples);
}

async function follow(
  course: Course,
  system: System,
  loadgen: string,
  space: KeySpace,
  seconds: number,
  tell: (line: string) => void,
  record: (label: string, report: Report) => void,
): Promise<void> {
  const drive = async (shape: Shape): Promise<Report> =>
    measure(loadgen, await system.target(), space, shape, seconds, system.cpu());
  const rest = async (): Promise<void> => {
    if (!(await quiet(system.servers(), REST_SECONDS))) {
      console.log(`the servers were still at work after ${REST_SECONDS} s of rest`);
    }
  };
  await preload(loadgen, await system.target(), space);
  await rest();
  const peaks = (): string =>
    system
      .servers()
      .map((pid) => Math.round(peakMemory(pid) / MIB))
      .join(", ");
  for (const [label, shape] of course.fresh) record(label, await drive(shape));
  tell(`peak memory while written, MiB: ${peaks()}`);
  await system.restart();
  await rest();
  for (const [label, shape] of course.restarted) record(label, await drive(shape));
  tell(`peak memory while read, MiB: ${peaks()}`);
}

async function etcd(directory: string): Promise<System> {
  const cluster = await startEtcd(directory);
  return {
    target: async () => ({ system: "etcd", endpoints: await cluster.leader() }),
    cpu: () => ({ stores: cluster.pids }),
    servers: () => cluster.pids,
    directories: () => cluster.directories,
    restart: () => cluster.restart(),
    stop: () => cluster.stop(),
  };
}

async function rutile(directory: string, memory: number | undefined): Promise<System> {
  const config = memory === undefined ? {} : { storeConfig: `memory-usage-limit = "${memory}MB"` };
  const cluster = await startCluster({ directory, pds: 1, stores: 3, ...config });
  const nodes = [...cluster.pds, ...cluster.stores];
  const pids = (of: typeof nodes): number[] => of.flatMap((node) => node.pid() ?? []);
  return {
    target: () => Promise.resolve({ system: "rutile", endpoints: cluster.endpoints }),
    cpu: () => ({ stores: pids([...cluster.stores]), pd: pids([...cluster.pds]) }),
    servers: () => pids([...cluster.stores]),
    directories: () => cluster.stores.map(({ name: store }) => join(directory, store)),
    restart: async () => {
      await Promise.all(cluster.stores.map((store) => store.stop()));
      await Promise.all(cluster.stores.map((store) => store.start()));
    },
    stop: () => cluster.stop(),
  };
}

function describe(label: string, report: Report): string {
  const servers = Object.values(report.cpu).reduce((sum, seconds) => sum + seconds, 0);
  const batches = report.batchSize === 0 ? "" : `batches of ${report.batchSize.toFixed(1)}, `;
  const errors = report.errors === 0 ? "" : `, ${report.errors} errors (${report.lastError})`;
  return (
    `${label}: ${Math.round(report.ops / report.seconds)} ops/s, ` +
    `p50 ${report.p50Us} us, p99 ${report.p99Us} us, ` +
    batches +
    `servers ${servers.toFixed(2)} CPU s, client ${report.clientCpu.toFixed(2)} CPU s${errors}`
  );
}
