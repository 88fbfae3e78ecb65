import { runInThisContext } from "node:vm";
import * as assert from "uvu/assert";
import { createWire } from "../engine/base/wire.ts";
import { suite } from "./harness.ts";
import { withoutAmbience } from "./poison.ts";

const test = suite("poison");

test("every ambient source of nondeterminism throws while the body runs", () => {
  const sources: Readonly<Record<string, () => unknown>> = {
    "Date.now()": () => Date.now(),
    "new Date()": () => new Date(),
    "Date()": () => Date(),
    "Math.random()": () => Math.random(),
    "setTimeout()": () => setTimeout(() => undefined, 0),
    "setInterval()": () => setInterval(() => undefined, 1),
    "setImmediate()": () => setImmediate(() => undefined),
    queueMicrotask: () => queueMicrotask(() => undefined),
    performance: () => performance.now(),
    crypto: () => crypto.getRandomValues(new Uint8Array(1)),
    "fetch()": () => fetch("http://127.0.0.1"),
    process: () => process.hrtime(),
  };
  for (const [name, use] of Object.entries(sources)) {
    let message = "";
    withoutAmbience(() => {
      try {
        use();
      } catch (error) {
        message = (error as Error).message;
      }
    });
    assert.is(message, `nondeterminism: ${name}`);
  }
});

test("afterwards everything is what it was, also where the body threw", () => {
  const before = [Date, Math.random, setTimeout, performance, process];
  assert.throws(
    () =>
      withoutAmbience(() => {
        throw new Error("planted");
      }),
    /planted/,
  );
  assert.equal([Date, Math.random, setTimeout, performance, process], before);
  assert.ok(Date.now() > 0);
});

test("the wire codec and dates of a given time work without the clock", () => {
  const wire = createWire();
  withoutAmbience(() => {
    assert.equal(wire.decode(wire.encode([1, "two"])), { ok: true, value: [1, "two"] });
    assert.is(new Date(5).getTime(), 5);
    assert.ok(new Date(5) instanceof Date);
  });
});

test("an asynchronous body is watched until it has settled", async () => {
  let message = "";
  const body = async (): Promise<void> => {
    await Promise.resolve();
    try {
      Date.now();
    } catch (error) {
      message = (error as Error).message;
    }
  };
  await withoutAmbience(body);
  assert.is(message, "nondeterminism: Date.now()");
  assert.ok(Date.now() > 0);
});

test("what others of the process do between its turns is none of its business", async () => {
  type Elsewhere = (tell: (now: unknown) => void) => void;
  const code = "(tell) => tell(Math.random() < 1 ? Date.now() : setTimeout)";
  const elsewhere = runInThisContext(code, { filename: "elsewhere.js" }) as Elsewhere;
  const later = setImmediate;
  const now = await withoutAmbience(() => new Promise((tell) => later(elsewhere, tell)));
  assert.type(now, "number");
});

test.run();
