/**
 * The worker of the playground: holds the world and drives it on in slices, so that the page never
 * waits for it. Wishes are granted one after another, between slices.
 */
import { SCENARIOS } from "../../../scenarios/index.ts";
import { DEFAULT_OPTIONS } from "../../../sim/build.ts";
import { FIRST_PLAN } from "../../../sim/live/play.ts";
import { runSeed } from "../../../sim/run.ts";
import { Course } from "./course.ts";
import type { Proving, Reply, Wish } from "./messages.ts";

/** What a worker has of its own; the library for the DOM describes windows. */
interface Scope {
  addEventListener(type: "message", heard: (event: MessageEvent<Wish>) => void): void;
  postMessage(reply: Reply): void;
}

const scope = globalThis as unknown as Scope;
const clock = (): number => performance.now();

/** Milliseconds between two reports while the world runs. */
const REPORT_MS = 30;
/** Between two slices, while the world runs. */
const RUNNING_REST_MS = 2;
/** Of its time the page spends at most one part in so many on new films. */
const SHARE = 12;

const { port1, port2 } = new MessageChannel();
const waiting: (() => void)[] = [];
port1.addEventListener("message", () => waiting.shift()?.());
// Unlike a handler that is set, one that is added does not open the port.
port1.start();

/** A turn of the loop: all that waits for settled promises goes on before the port is told. */
const drain = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(undefined);
  });

const wishes: Wish[] = [];
let wake: (() => void) | undefined;
scope.addEventListener("message", ({ data }) => {
  wishes.push(data);
  wake?.();
});

/** Until something is wished for, or `ms` have passed. */
const rest = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
    wake = (): void => {
      clearTimeout(timer);
      wake = undefined;
      resolve();
    };
  });

/** When the page may be sent what. Mutable. */
interface Post {
  /** The page has taken in the last film. */
  isTaken: boolean;
  nextReportMs: number;
  nextPictureMs: number;
  /** The page has not seen how things stand now. */
  isOwed: boolean;
}

async function grant(wish: Wish, course: Course, post: Post): Promise<Course> {
  if (wish.type !== "taken") post.isOwed = true;
  switch (wish.type) {
    case "begin":
      post.nextPictureMs = 0;
      return new Course(wish, course, drain);
    case "run":
      course.running = wish.running;
      break;
    case "speed":
      course.perSecond = wish.perSecond;
      break;
    case "step":
      await course.step();
      break;
    case "act":
      await course.act(wish.deed);
      break;
    case "look":
      course.stretch = wish.stretch;
      break;
    case "taken":
      post.isTaken = true;
      post.nextPictureMs = clock() + Math.min(2000, wish.ms * SHARE);
      return course;
    default:
      await prove(wish);
  }
  // What somebody does is to be seen at once.
  post.nextReportMs = 0;
  return course;
}

/** What is done to a course is done where it has come to, not on the way there. */
const mustWait = (wish: Wish | undefined): boolean => wish?.type === "act" || wish?.type === "step";

async function prove({ scenario: name, seed, safetyMs, recorded }: Proving): Promise<void> {
  const known = SCENARIOS.find((one) => one.name === name);
  if (known === undefined) throw new Error(`there is no scenario ${name}`);
  const scenario = { ...known, safetyMs: safetyMs ?? known.safetyMs };
  const options = { ...DEFAULT_OPTIONS, recorded: recorded === true };
  const result = await runSeed(scenario, seed, drain, options);
  const { trace, events, violation, recording } = result;
  const verdict = violation === undefined ? "PASS" : "FAIL";
  scope.postMessage({ type: "proved", scenario: name, seed, trace, events, verdict, recording });
}

/**
 * Tells the page how things stand, as often as it can take it; gives when there is more to tell.
 */
function report(course: Course, post: Post): number {
  const now = clock();
  if (course.goesOn) post.isOwed = true;
  if (!post.isOwed) return Infinity;
  if (now < post.nextReportMs) return post.nextReportMs - now;
  const isPictured = post.isTaken && now >= post.nextPictureMs && !course.isReplaying;
  scope.postMessage(course.news(isPictured));
  post.nextReportMs = now + REPORT_MS;
  if (isPictured) post.isTaken = false;
  // A film that is not there yet is owed on.
  post.isOwed = !isPictured;
  if (!post.isOwed) return Infinity;
  return post.isTaken ? Math.max(REPORT_MS, post.nextPictureMs - now) : Infinity;
}

async function main(): Promise<void> {
  const first = { perSecond: 1, stretch: { us: 1_000_000 } };
  const nothing = { cluster: FIRST_PLAN, actions: [] };
  const begun = { course: 0, play: nothing, untilUs: 0, running: false };
  let course = new Course(begun, first, drain);
  const post: Post = { isTaken: true, nextReportMs: 0, nextPictureMs: 0, isOwed: false };
  // The page begins: until then there is nothing to do.
  await rest(Infinity);
  for (;;) {
    while (wishes.length > 0 && !(course.isReplaying && mustWait(wishes[0]))) {
      course = await grant(wishes.shift() as Wish, course, post);
    }
    await course.drive(clock);
    const restMs = report(course, post);
    if (wishes.length === 0) await rest(course.goesOn ? RUNNING_REST_MS : restMs);
    // Wishes that wait for the end of a replay must not keep others from being heard.
    else await drain();
  }
}

main().catch((error: unknown) => {
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  scope.postMessage({ type: "failed", problem });
});
