/**
 * Whoever locks before it writes keeps its locks alive: as long as its client runs, a transaction
 * asks for them to be prolonged before they run out, until it is over or told that they are gone.
 * What the network makes of that is another matter, so it is the asking that is judged, when the
 * transaction goes on: it has counted on its locks until then. Taken from the calls and the log of
 * the client library.
 */
import type { TikvCall, TikvReply } from "../../engine/protocol/services.ts";
import type { Client, Outcome, World } from "../model.ts";
import { seconds } from "../trace/trace.ts";
import { passed, violated } from "./verdict.ts";

/** Mutable: what is known of a transaction that has locked its primary. */
interface Heart {
  readonly client: string;
  /** For how long its locks were asked to live, in microseconds. */
  readonly ttlUs: number;
  /** When it last asked for more, or could not. */
  lastUs: number;
}

/** By start timestamp. Mutable: one for each run. */
export type Hearts = Map<bigint, Heart>;

/** An attempt may take as long as the pause before it, and some more to be given up. */
const SLACK_US = 500_000;

/** `client` asks a store for something. */
export function noteAsked(world: World, client: string, call: TikvCall): void {
  const { hearts } = world.checks;
  if (call.method === "KvTxnHeartBeat") {
    const heart = hearts.get(call.request.startVersion);
    if (heart?.client === client) heart.lastUs = world.timeUs;
  } else if (call.method === "KvPessimisticLock" || call.method === "KvPrewrite") {
    checkHeart(world, client, call.request.startVersion);
  }
}

function checkHeart(world: World, client: string, startTs: bigint): void {
  const heart = world.checks.hearts.get(startTs);
  if (heart?.client !== client) return;
  const { ttlUs, lastUs } = heart;
  if (world.timeUs - lastUs <= 2 * ttlUs + SLACK_US) return passed(world, "heartbeats");
  violated(
    world,
    "heartbeats",
    `${client} goes on with transaction ${startTs}, whose locks were to live for ` +
      `${seconds(ttlUs)}, and has not asked for more since ${seconds(lastUs)}`,
  );
}

/** `client` hears from a store. */
export function noteAnswered(world: World, client: string, call: TikvCall, heard: Outcome): void {
  if (heard.type !== "reply") return;
  const reply = heard.reply as TikvReply;
  if (call.method === "KvPessimisticLock" && reply.method === "KvPessimisticLock") {
    const { startVersion, isFirstLock, lockTtl } = call.request;
    const { errors, regionError } = reply.response;
    if (!isFirstLock || errors.length > 0 || regionError !== undefined) return;
    world.checks.hearts.set(startVersion, {
      client,
      ttlUs: lockTtl * 1000,
      lastUs: world.timeUs,
    });
  } else if (call.method === "KvTxnHeartBeat" && reply.method === "KvTxnHeartBeat") {
    if (reply.response.error !== undefined) world.checks.hearts.delete(call.request.startVersion);
  }
}

/** The library says that `client` could not ask, for whichever of its transactions. */
export function noteFailedBeat(world: World, client: string): void {
  for (const heart of world.checks.hearts.values()) {
    if (heart.client === client) heart.lastUs = world.timeUs;
  }
}

/** `client` stands still until `untilUs`. */
export function excuseHearts(world: World, client: Client, untilUs: number): void {
  for (const heart of world.checks.hearts.values()) {
    if (heart.client === client.name) heart.lastUs = Math.max(heart.lastUs, untilUs);
  }
}
