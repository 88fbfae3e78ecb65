import * as assert from "uvu/assert";
import fc from "fast-check";
import {
  arbitraryScenario,
  ClientError,
  type FaultName,
  simulate,
  type Simulation,
  SimulationError,
  type SimulationOptions,
} from "rutile/sim";
import { suite } from "../harness.ts";

const test = suite("simulation");

const CALM: SimulationOptions = { seed: 7, faults: [], members: 1, settings: "usual" };

/** A little work by two processes. */
async function count(simulation: Simulation): Promise<number> {
  const worker = async ({ txn, sleep, below }: typeof simulation): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await txn.transaction(async (t) => {
        const before = Number(new TextDecoder().decode(await t.get("count")));
        await t.put("count", String(before + 1));
      });
      await sleep(below(100));
    }
  };
  await Promise.all([
    simulation.process((process) => worker({ ...simulation, ...process })),
    worker(simulation),
  ]);
  const value = await simulation.txn.transaction((t) => t.get("count"));
  return Number(new TextDecoder().decode(value));
}

async function failureOf(
  body: (simulation: Simulation) => Promise<unknown>,
  options: SimulationOptions = CALM,
): Promise<SimulationError> {
  try {
    await simulate(body, options);
  } catch (error) {
    if (error instanceof SimulationError) return error;
    throw error;
  }
  throw new Error("the simulation did not fail");
}

test("the same seed does the same, and another one something else", async () => {
  const faults: readonly FaultName[] = ["crashes", "late-messages"];
  const runs = [];
  for (const seed of [1, 1, 2]) {
    runs.push(await simulate(count, { ...CALM, seed, faults, settings: "drawn" }));
  }
  const [first, again, other] = runs;
  assert.is(first!.value, 6);
  assert.equal(again, first);
  assert.is.not(other!.trace, first!.trace);
});

test("an hour of virtual time costs next to nothing, and shows on the clock", async () => {
  const { value, virtualMs } = await simulate(
    async ({ sleep, nowMs }) => {
      const before = nowMs();
      await sleep(60_000);
      return nowMs() - before;
    },
    { ...CALM, limitMs: 3_600_000 },
  );
  assert.is(value, 60_000);
  assert.ok(virtualMs >= 60_000);
});

test("what setup has written is there when the code begins", async () => {
  const setup = ({ raw }: Simulation): Promise<void> => raw.put("key", "value");
  const { value } = await simulate(({ raw }) => raw.get("key"), { ...CALM, setup });
  assert.is(new TextDecoder().decode(value), "value");
});

test("regions are split where the code asks, and its transactions go across", async () => {
  const { value } = await simulate(async ({ txn, split }) => {
    await split("m");
    return txn.transaction(async (t) => {
      await t.put("a", "1");
      await t.put("z", "2");
      return (await t.batchGet(["a", "z"])).length;
    });
  }, CALM);
  assert.is(value, 2);
});

test("after heal nothing fails any more, whatever went wrong before", async () => {
  await simulate(
    async ({ sleep, heal, txn }) => {
      await sleep(3000);
      await Promise.all([heal(), heal()]);
      await heal();
      for (let i = 0; i < 20; i++) {
        await txn.transaction((t) => t.put(`key ${i}`, "value"), { timeoutMs: 2000, attempts: 1 });
      }
    },
    { ...CALM, faults: ["blackouts", "partitions"] },
  );
});

test("an aborted signal ends an operation of the code as it does outside", async () => {
  const { value } = await simulate(async ({ raw, sleep }) => {
    const controller = new AbortController();
    const reading = raw.get("key", { signal: controller.signal }).catch((error: unknown) => error);
    await sleep(0.01);
    controller.abort();
    return reading;
  }, CALM);
  assert.instance(value, ClientError);
  assert.is((value as ClientError).reason, "cancelled");
});

test("what the code throws is the cause, and the error tells the story and how to see it again", async () => {
  const cause = new Error("the total is wrong");
  const options: SimulationOptions = { ...CALM, faults: ["elections"], seed: "a seed" };
  const failure = await failureOf(async ({ sleep, note }) => {
    note("the total is looked at");
    await sleep(1000);
    throw cause;
  }, options);
  assert.is(failure.cause, cause);
  assert.match(failure.message, /^the total is wrong\n/);
  assert.match(failure.message, /client {3}the total is looked at/);
  assert.match(failure.message, /leads the placement driver/);
  assert.ok(failure.message.endsWith(`The same again: ${JSON.stringify(options)}`));
});

test("code that never ends is ended", async () => {
  const failure = await failureOf(() => new Promise(() => undefined), { ...CALM, limitMs: 1000 });
  assert.match(failure.message, /has not come to its end in 1000 virtual milliseconds/);
});

test("more processes than there are nodes are refused", async () => {
  const failure = await failureOf(
    async (simulation) => {
      for (let i = 0; i < 2; i++) await simulation.process(({ sleep }) => sleep(1));
    },
    { ...CALM, processes: 2 },
  );
  assert.match(failure.message, /the simulation has 2 processes/);
});

test("a wrong option is refused in a line that names it", async () => {
  const refused = async (options: object): Promise<string> => {
    try {
      await simulate(count, options);
    } catch (error) {
      assert.instance(error, TypeError);
      return (error as Error).message;
    }
    return "accepted";
  };
  assert.match(await refused({ faults: ["earthquakes"] }), /^there is no fault earthquakes; there/);
  assert.is(await refused({ stores: 0 }), "stores must be a whole number from 1 to 9, not 0");
  assert.is(await refused({ members: 2 }), "members must be 1 or 3, not 2");
  assert.is(await refused({ replicas: 5 }), "replicas must be a whole number from 1 to 3, not 5");
});

const AMBIENT: readonly (readonly [name: string, ask: () => unknown])[] = [
  ["Date.now()", () => Date.now()],
  ["new Date()", () => new Date()],
  ["performance.now()", () => performance.now()],
  ["Math.random()", () => Math.random()],
  ["crypto.randomUUID()", () => crypto.randomUUID()],
  ["setTimeout()", () => setTimeout(() => undefined, 0)],
  ["fetch()", () => fetch("http://127.0.0.1:1")],
];

for (const [name, ask] of AMBIENT) {
  test(`code that asks ${name} is caught by the line, even where it swallows the error`, async () => {
    const failure = await failureOf(async ({ sleep }) => {
      await sleep(1);
      try {
        ask();
      } catch {
        // As code with a fallback would.
      }
    });
    assert.ok(failure.message.startsWith(`${name} at /`), failure.message);
    assert.match(failure.message, /simulate\.test\.js:\d+:\d+: the real world is not part/);
    // Afterwards everybody may ask again; nobody listens at that port.
    await Promise.resolve(ask()).catch(() => undefined);
  });
}

test("dates of a given time may be made", async () => {
  const { value } = await simulate(async () => new Date(0).toISOString(), CALM);
  assert.is(value, "1970-01-01T00:00:00.000Z");
});

test("several simulations at once do what each would do alone", async () => {
  const alone = await simulate(count, CALM);
  const together = await Promise.all([simulate(count, CALM), simulate(count, CALM)]);
  assert.equal(together, [alone, alone]);
});

test("a failing world shrinks to one without faults where they are not to blame", async () => {
  const result = await fc.check(
    fc.asyncProperty(arbitraryScenario(), async (world) => {
      await simulate(() => Promise.reject(new Error("always")), world);
    }),
    { seed: 1, numRuns: 5 },
  );
  const [world] = result.counterexample ?? [];
  assert.equal(world?.faults, []);
  assert.is(world?.stores, 3);
  assert.is(world?.settings, "usual");
});

test.run();
