import type { Scenario } from "../sim/scenario.ts";
import { WORKLOAD } from "./common.ts";

/** Nothing goes wrong. Whatever fails here needs no fault; it is also what speed is measured by. */
export const calm: Scenario = {
  name: "calm",
  summary: "nothing goes wrong",
  cluster: { stores: [3], members: [3], replicas: [3] },
  workload: { ...WORKLOAD, thinkMs: 10 },
  faults: [],
  network: "calm",
  safetyMs: 20_000,
  livenessMs: 20_000,
  settings: "usual",
  extreme: [],
};
