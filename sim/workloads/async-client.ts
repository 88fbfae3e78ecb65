/**
 * A client whose code is asynchronous, as users write it: the client library over the simulated
 * network, virtual time and a stream of chance. Promises are settled by events; the loop lets
 * everything that waits for them go on before it takes the next one, in the order that the language
 * fixes.
 */
import type { Answer, CallOptions, Ports, Signal } from "../../engine/client/ports.ts";
import type { PdCall, PdReply, TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import { noteCall, noteEvent } from "../checkers/authors.ts";
import { noteAnswered, noteAsked, noteFailedBeat } from "../checkers/heartbeats.ts";
import { violated } from "../checkers/verdict.ts";
import { seededDraws } from "../decisions/decisions.ts";
import { schedule } from "../event-queue.ts";
import type { Client, Machine, Outcome, World } from "../model.ts";
import { nextOperation } from "../decisions/operations.ts";
import type { Random } from "../random.ts";
import { beginCall } from "../transport.ts";

/** A connection on which nothing has come for so long is given up, whatever the caller allows. */
const SILENCE_MS = 1500;

const UNAVAILABLE = 14;

/**
 * Does one thing after another, as the seed decides, until the world stops its clients. `body` is
 * told its number and draws from `random`.
 */
export type Operate = (
  thinkUs: number,
  body: (random: Random, number: number) => Promise<void>,
) => Promise<void>;

/** Runs `live` from the start on. What it throws is a broken promise of the client. */
export function asyncClient(
  world: World,
  node: number,
  name: string,
  live: (ports: Ports, operate: Operate) => Promise<void>,
): Client {
  const asleep = new Map<number, () => void>();
  const calls = new Map<number, (outcome: Outcome) => void>();
  /** What the library draws from: another generator for each operation. */
  let way = seededDraws(world.decisions, `client/${name}/way`);
  let lastTag = 0;

  const sleep: Ports["clock"]["sleep"] = (ms, signal) => {
    if (isAborted(signal)) return Promise.resolve();
    lastTag += 1;
    const tag = lastTag;
    schedule(world.queue, world.timeUs + Math.ceil(ms * 1000), { type: "wake", client, tag });
    const waking = new Promise<void>((resolve) => asleep.set(tag, resolve));
    return unlessAborted(signal, waking, () => settle(asleep, tag, undefined));
  };

  const call = async <Reply>(
    to: Machine | undefined,
    request: TikvCall | PdCall,
    { timeoutMs, signal }: CallOptions,
    heard?: (outcome: Outcome) => void,
  ): Promise<Answer<Reply>> => {
    if (isAborted(signal)) return CANCELLED;
    if (to === undefined) {
      return { ok: false, reason: "refused", code: UNAVAILABLE, message: "no such host" };
    }
    lastTag += 1;
    const tag = lastTag;
    const timeoutUs = Math.ceil(Math.min(timeoutMs, SILENCE_MS) * 1000);
    beginCall(world, node, to, request, timeoutUs, { type: "client", client, tag });
    const answering = new Promise<Outcome>((resolve) => calls.set(tag, resolve));
    // The call goes on: only nobody waits for it any more.
    const outcome = await unlessAborted(signal, answering, () =>
      settle(calls, tag, { type: "lost" }),
    );
    heard?.(outcome);
    return isAborted(signal) ? CANCELLED : answerOf<Reply>(outcome);
  };

  const ports: Ports = {
    transport: {
      tikv: (address, request, options) => {
        noteCall(world.checks.authors, name, request);
        noteAsked(world, name, request);
        const heard = (outcome: Outcome): void => noteAnswered(world, name, request, outcome);
        return call<TikvReply>(storeAt(world, address), request, options, heard);
      },
      pd: (endpoint, request, options) =>
        call<PdReply>(memberAt(world, endpoint), request, options),
    },
    clock: { nowMs: () => world.timeUs / 1000, sleep },
    random: { next: () => way() },
    log: (event) => {
      noteEvent(world.checks.authors, name, event);
      if (event.message === "heartbeat failed") noteFailedBeat(world, name);
      if (event.message !== "heartbeat failed" && event.message !== "clean-up failed") return;
      // The library tells nobody else of what goes wrong behind its users' backs.
      if (event.because.startsWith("ClientError: ")) return;
      violated(world, "assertions", `${name}: ${event.message}: ${event.because}`);
    },
  };

  const operate: Operate = async (thinkUs, body) => {
    let operation = nextOperation(world, name, 0, thinkUs);
    while (operation !== undefined) {
      await sleep(operation.waitUs / 1000, undefined);
      if (!world.clientsActive) return;
      ({ way } = operation);
      world.errands += 1;
      await body(operation.random, operation.number);
      world.errands -= 1;
      operation = nextOperation(world, name, operation.number + 1, thinkUs);
    }
  };

  const client: Client = {
    node,
    name,
    leader: 0,
    start() {
      world.stirred = true;
      live(ports, operate).catch((error: unknown) => {
        const { message, stack } = error instanceof Error ? error : new Error(String(error));
        violated(world, "assertions", `${name} threw: ${message}`, stack);
      });
    },
    wake: (tag) => settle(asleep, tag, undefined),
    answered: (tag, outcome) => settle(calls, tag, outcome),
  };

  const settle = <T>(waiting: Map<number, (value: T) => void>, tag: number, value: T): void => {
    const resolve = waiting.get(tag);
    if (resolve === undefined) return;
    waiting.delete(tag);
    world.stirred = true;
    resolve(value);
  };
  return client;
}

const CANCELLED = {
  ok: false,
  reason: "cancelled",
  code: 1,
  message: "cancelled",
} as const;

const isAborted = (signal: Signal | undefined): boolean => signal?.aborted === true;

/** `waiting`, which `abort` settles where the signal comes first. */
function unlessAborted<T>(
  signal: Signal | undefined,
  waiting: Promise<T>,
  abort: () => void,
): Promise<T> {
  if (signal === undefined) return waiting;
  signal.addEventListener("abort", abort, { once: true });
  return waiting.finally(() => signal.removeEventListener("abort", abort));
}

function answerOf<Reply>(outcome: Outcome): Answer<Reply> {
  switch (outcome.type) {
    case "reply":
      return { ok: true, reply: outcome.reply as Reply };
    case "refused":
      return { ok: false, reason: "refused", code: outcome.code, message: outcome.message };
    default:
      return { ok: false, reason: "lost", code: UNAVAILABLE, message: "no answer" };
  }
}

const storeAt = (world: World, address: string): Machine | undefined =>
  world.stores.find(({ config }) => config.address === address);

const memberAt = (world: World, endpoint: string): Machine | undefined =>
  world.members.find(({ config, id }) =>
    config.members.some((one) => one.id === id && one.clientUrls.includes(`http://${endpoint}`)),
  );

/** Where the members of the placement driver answer, as clients are told. */
export const endpointsOf = (world: World): readonly string[] =>
  world.members.flatMap(({ config, id }) =>
    config.members
      .filter((one) => one.id === id)
      .flatMap(({ clientUrls }) => clientUrls.map((url) => url.replace("http://", ""))),
  );
