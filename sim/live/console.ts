/**
 * The console: a client whose operations somebody types. It is a node of the network like any
 * other, with the client library as users have it, so links to it can be cut too.
 */
import { prefixEnd } from "../../engine/base/bytes.ts";
import { type BytesLike, keyOf } from "../../engine/client/bytes.ts";
import { Cluster } from "../../engine/client/cluster.ts";
import { ClientError } from "../../engine/client/errors.ts";
import type { Ports } from "../../engine/client/ports.ts";
import { RawClient } from "../../engine/client/raw.ts";
import { TxnClient } from "../../engine/client/transactions.ts";
import { readUtf8 } from "../../engine/protocol/utf8.ts";
import { keyToBytes } from "../../engine/base/bytes.ts";
import type { Guest } from "../build.ts";
import type { World } from "../model.ts";
import { endpointsOf } from "../workloads/async-client.ts";
import { describeDeed, type Mode, type Operation } from "./deed.ts";

export const CONSOLE_NAME = "console";

/** Pairs that a scan gives at most. */
export const MOST_PAIRS = 20;

/** What the console asked for, and what it was told. Mutable until it is over. */
export interface Told {
  readonly operation: Operation;
  readonly beginUs: number;
  /** Undefined while nothing is known. */
  endUs: number | undefined;
  end: "open" | "answered" | "refused" | "unknown";
  /** The answer, or why there is none. */
  text: string;
}

/** Mutable: one for each playground. */
export interface Console {
  readonly guest: Guest;
  readonly told: Told[];
  /** Undefined until its client was started. */
  clients: { readonly raw: RawClient; readonly transactional: TxnClient } | undefined;
}

export function consoleOf(endpoints: () => readonly string[]): Console {
  const made: Console = {
    guest: {
      name: CONSOLE_NAME,
      live: (ports: Ports): Promise<void> => {
        const known = endpoints();
        made.clients = {
          raw: new RawClient(new Cluster(ports, known, "raw")),
          transactional: new TxnClient(new Cluster(ports, known, "transactional")),
        };
        return Promise.resolve();
      },
    },
    told: [],
    clients: undefined,
  };
  return made;
}

export const endpointsIn = (world: World): readonly string[] => endpointsOf(world);

/** Begins an operation; what comes of it is noted where it is known. */
export function begin(world: World, console: Console, operation: Operation): void {
  const told: Told = {
    operation,
    beginUs: world.timeUs,
    endUs: undefined,
    end: "open",
    text: "",
  };
  console.told.push(told);
  const settled = (end: Told["end"], text: string): void => {
    told.endUs = world.timeUs;
    told.end = end;
    told.text = text;
    const { timeUs } = world;
    const whole = `${describeDeed(operation)}${text === "" ? "" : `: ${text}`}`;
    world.film?.operations.push({
      client: CONSOLE_NAME,
      beginUs: told.beginUs,
      endUs: timeUs,
      text: whole,
      end,
    });
  };
  world.stirred = true;
  void carriedOut(console, operation).then(
    (text) => settled("answered", text),
    (error: unknown) => {
      const reason = error instanceof ClientError ? error.reason : "refused";
      const isOpen = reason === "undetermined" || (reason === "timeout" && isWrite(operation));
      settled(
        isOpen ? "unknown" : "refused",
        error instanceof Error ? error.message : String(error),
      );
    },
  );
}

const isWrite = ({ type }: Operation): boolean => type === "put" || type === "delete";

async function carriedOut({ clients }: Console, operation: Operation): Promise<string> {
  if (clients === undefined) throw new ClientError("refused", "the console is not there yet");
  const key = stored(operation.mode, operation.key);
  if (operation.mode === "raw") return rawly(clients.raw, operation, key);
  return clients.transactional.transaction(async (transaction) => {
    switch (operation.type) {
      case "put":
        await transaction.put(key, operation.value);
        return "written";
      case "delete":
        await transaction.delete(key);
        return "deleted";
      case "get":
        return valueText(await transaction.get(key));
      default:
        return pairsText(operation.mode, transaction.scan(range(key)));
    }
  });
}

async function rawly(raw: RawClient, operation: Operation, key: string): Promise<string> {
  switch (operation.type) {
    case "put":
      await raw.put(key, operation.value);
      return "written";
    case "delete":
      await raw.delete(key);
      return "deleted";
    case "get":
      return valueText(await raw.get(key));
    default:
      return pairsText(operation.mode, raw.scan(range(key)));
  }
}

/**
 * Raw and transactional keys share one space: each has its part, apart from other clients' keys.
 */
const stored = (mode: Mode, key: string): string => `${PREFIXES[mode]}${key}`;

const PREFIXES: Readonly<Record<Mode, string>> = { raw: "k/", transactional: "x/" };

const range = (
  key: string,
): { readonly start: string; readonly end: BytesLike; readonly limit: number } => ({
  start: key,
  end: keyToBytes(prefixEnd(keyOf(key))),
  limit: MOST_PAIRS,
});

const text = (bytes: Uint8Array): string =>
  readUtf8(bytes, 0, bytes.length) ?? `${bytes.length} bytes`;

const valueText = (value: Uint8Array | undefined): string =>
  value === undefined ? "nothing" : text(value);

async function pairsText(
  mode: Mode,
  pairs: AsyncIterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>,
): Promise<string> {
  const found: string[] = [];
  for await (const { key, value } of pairs) {
    found.push(`${text(key).slice(PREFIXES[mode].length)} = ${text(value)}`);
  }
  return found.length === 0 ? "nothing" : found.join(", ");
}
