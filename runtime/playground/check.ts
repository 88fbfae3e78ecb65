/** The playground's check of itself: what a user would do first, step by step and visibly. */
import { ClientError, connectRaw } from "../client/index.ts";
import type { RawClient } from "../client/index.ts";

/** Told of each step that went well, with how long it took. */
export type Report = (step: string, milliseconds: number) => void;

/** Nobody else's keys begin like this. */
const PREFIX = "rutile-playground/";
const AFTER_PREFIX = "rutile-playground0";
const PAIRS: readonly (readonly [string, string])[] = [
  ["anatase", "tetragonal, metastable"],
  ["brookite", "orthorhombic"],
  ["rutile", "tetragonal, stable"],
];

/** The check found something that should not be; the message is a sentence for people. */
class CheckFailure extends Error {}

const decode = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "nothing" : new TextDecoder().decode(bytes);

/** Undefined where everything went well, else a sentence that says what did not. */
export async function runCheck(pd: string, report: Report): Promise<string | undefined> {
  const { client, close } = connectRaw([pd]);
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
    if (error instanceof CheckFailure || error instanceof ClientError) return error.message;
    throw error;
  } finally {
    close();
  }
}

async function putAll(client: RawClient): Promise<string> {
  for (const [name, value] of PAIRS) await client.put(`${PREFIX}${name}`, value);
  return `${PAIRS.length} keys`;
}

async function getOne(client: RawClient): Promise<string> {
  const [name, value] = PAIRS[2] ?? ["", ""];
  const found = decode(await client.get(`${PREFIX}${name}`));
  expect(found === value, `${name} holds ${found}, not ${value}`);
  return `${PREFIX}${name} is ${JSON.stringify(found)}`;
}

async function scanAll(client: RawClient): Promise<string> {
  const names = (await namesLeft(client)).join(", ");
  const wanted = PAIRS.map(([name]) => name).join(", ");
  expect(names === wanted, `a scan of ${PREFIX} finds ${names}, not ${wanted}`);
  return names;
}

async function deleteAll(client: RawClient): Promise<string> {
  for (const [name] of PAIRS) await client.delete(`${PREFIX}${name}`);
  const left = await namesLeft(client);
  expect(left.length === 0, `${left.length} keys are left after they were deleted`);
  return "and a scan finds nothing";
}

/** What is stored under the prefix, in order. */
async function namesLeft(client: RawClient): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { key } of client.scan({ start: PREFIX, end: AFTER_PREFIX })) {
    names.push(decode(key).slice(PREFIX.length));
  }
  return names;
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new CheckFailure(otherwise);
}
