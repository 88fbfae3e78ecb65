/** The playground's check of itself: what a user would do first, step by step and visibly. */
import { Key, prefixEnd } from "../../engine/base/bytes.ts";
import { CheckClient, CheckFailure } from "./check-client.ts";

/** Told of each step that went well, with how long it took. */
export type Report = (step: string, milliseconds: number) => void;

/** Nobody else's keys begin like this. */
const PREFIX = "rutile-playground/";
const PAIRS: readonly (readonly [string, string])[] = [
  ["anatase", "tetragonal, metastable"],
  ["brookite", "orthorhombic"],
  ["rutile", "tetragonal, stable"],
];

const keyOf = (name: string): Key => Key(`${PREFIX}${name}`);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "nothing" : new TextDecoder().decode(bytes);

/** Undefined where everything went well, else a sentence that says what did not. */
export async function runCheck(pd: string, report: Report): Promise<string | undefined> {
  const client = new CheckClient(pd);
  const timed = async (name: string, body: () => Promise<string>): Promise<void> => {
    const start = performance.now();
    const result = await body();
    report(`${name.padEnd(10)} ${result}`, performance.now() - start);
  };
  try {
    await timed("raw put", () => putAll(client));
    await timed("raw get", () => getOne(client));
    await timed("raw scan", () => scanAll(client));
    await timed("raw delete", () => deleteAll(client));
    return undefined;
  } catch (error) {
    if (error instanceof CheckFailure) return error.message;
    throw error;
  } finally {
    client.close();
  }
}

async function putAll(client: CheckClient): Promise<string> {
  for (const [name, value] of PAIRS) await client.put(keyOf(name), encode(value));
  return `${PAIRS.length} keys`;
}

async function getOne(client: CheckClient): Promise<string> {
  const [name, value] = PAIRS[2] ?? ["", ""];
  const found = decode(await client.get(keyOf(name)));
  expect(found === value, `${name} holds ${found}, not ${value}`);
  return `${PREFIX}${name} is ${JSON.stringify(found)}`;
}

async function scanAll(client: CheckClient): Promise<string> {
  const found = await client.scan(Key(PREFIX), prefixEnd(Key(PREFIX)), 100);
  const names = found.map(({ key }) => key.slice(PREFIX.length)).join(", ");
  const wanted = PAIRS.map(([name]) => name).join(", ");
  expect(names === wanted, `a scan of ${PREFIX} finds ${names}, not ${wanted}`);
  return names;
}

async function deleteAll(client: CheckClient): Promise<string> {
  for (const [name] of PAIRS) await client.delete(keyOf(name));
  const left = await client.scan(Key(PREFIX), prefixEnd(Key(PREFIX)), 100);
  expect(left.length === 0, `${left.length} keys are left after they were deleted`);
  return "and a scan finds nothing";
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new CheckFailure(otherwise);
}
