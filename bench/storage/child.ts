/** One engine in a process of its own: takes a plan as its argument and tells its figures. */
import type { OpenEngine } from "./engine.ts";
import { runPhases } from "./phases.ts";
import type { Plan } from "./phases.ts";

const ENGINES: Readonly<Record<string, () => Promise<OpenEngine>>> = {
  rutile: async () => (await import("./ours.ts")).openOurs,
  leveldb: async () => (await import("./level.ts")).openLevel,
  lmdb: async () => (await import("./lmdb.ts")).openLmdb,
};

const [name = "", plan = ""] = process.argv.slice(2);
const open = await ENGINES[name]!();
const figures = await runPhases(open, JSON.parse(plan) as Plan);
process.send?.(figures);
process.disconnect?.();
