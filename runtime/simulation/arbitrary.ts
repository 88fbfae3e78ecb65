/** Worlds for property tests with fast-check. */
import fc from "fast-check";
import { FAULT_NAMES, type FaultName } from "../../sim/simulation/faults.ts";
import type { SimulationOptions } from "../../sim/simulation/options.ts";

export interface ScenarioConstraints {
  /** Which faults there may be; all where it is not given. */
  readonly faults?: readonly FaultName[];
  /** Most of them at once; 3 where it is not given, as many at once hide what few would show. */
  readonly maxFaults?: number;
  /** Most stores; 5 where it is not given. */
  readonly maxStores?: number;
}

/**
 * An arbitrary of `simulate`'s options. It shrinks to fewer faults, a smaller cluster and usual
 * settings; the seed stays, since another one would be another story and no smaller.
 */
export function arbitraryScenario({
  faults = FAULT_NAMES,
  maxFaults = 3,
  maxStores = 5,
}: ScenarioConstraints = {}): fc.Arbitrary<Required<Pick<SimulationOptions, Drawn>>> {
  return fc.record({
    seed: fc.noShrink(fc.nat()),
    faults: fc.subarray([...faults], { maxLength: Math.min(maxFaults, faults.length) }),
    stores: fc.integer({ min: Math.min(3, maxStores), max: maxStores }),
    members: fc.constantFrom(1, 3),
    settings: fc.constantFrom("usual", "drawn"),
  });
}

type Drawn = "seed" | "faults" | "stores" | "members" | "settings";
