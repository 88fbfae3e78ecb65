import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { pressing, tellFrames } from "./frames.ts";
import { settled, until } from "./page.ts";
import { playedIn } from "./played.ts";

const test = suite("frames of the playground in Chromium");
const played = playedIn(test);

/**
 * The 95th percentile of frames while a world of 200,000 events runs, and while it is looked at.
 */
const FRAME_MS = 50;
/** The same of a page that stands still, where the machine has time. */
const QUIET_MS = 17;

played("200,000 events run and are looked at without stutter", async (stage) => {
  let [running, looking, limit] = [Infinity, Infinity, FRAME_MS];
  // A machine that does other things beside is given another chance.
  for (let round = 0; round < 3 && !(running < limit && looking < limit); round++) {
    const { page } = await stage.live();
    await page.locator("#play").click();
    await page.waitForTimeout(1500);
    // What this machine makes of a page that stands still is not the page's stutter.
    const idle = tellFrames("while nothing happens", (await page.evaluate(IDLE)) as number[]);
    limit = Math.max(limit, FRAME_MS + idle - QUIET_MS);
    await page.locator("#play").click();
    await page.locator("#speed").selectOption({ label: "as fast as it goes" });
    const ran = (await page.evaluate(RUNNING(EVENTS))) as number[];
    running = Math.min(running, tellFrames(`while ${EVENTS} events run`, ran));
    await page.locator("#play").click();
    await page.waitForTimeout(300);
    await page.locator("canvas").focus();
    await page.keyboard.press("0");
    await until(page, `Number(document.querySelector("canvas").dataset.inSight) > 40000`);
    await page.waitForTimeout(1000);
    const looked = (await page.evaluate(LOOKING)) as number[];
    await settled(page);
    looking = Math.min(looking, tellFrames("while all messages are moved and zoomed", looked));
    await page.close();
  }
  assert.ok(running < limit && looking < limit, `p95 ${running} and ${looking} ms`);
});

const EVENTS = 200_000;

/** Times frames for two seconds. */
const IDLE = `new Promise((done) => {
  const all = [];
  let first;
  let last;
  const frame = (now) => {
    first ??= now;
    if (last !== undefined) all.push(now - last);
    last = now;
    if (now - first > 2000) return done(all);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;

/** Times frames until so many events are over. */
const RUNNING = (events: number): string => `new Promise((done) => {
  const all = [];
  let last;
  const frame = (now) => {
    if (last !== undefined) all.push(now - last);
    last = now;
    const text = document.querySelector("#figures").textContent.replaceAll(",", "");
    if (Number.parseInt(text, 10) > ${events}) return done(all);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;

/** Closer, along, and out again. */
const LOOKING = pressing([
  ...Array.from({ length: 12 }, () => ["+", "ArrowRight", "ArrowLeft", "ArrowLeft"]).flat(),
  ...Array.from({ length: 12 }, () => ["-", "ArrowLeft", "ArrowRight"]).flat(),
]);

test.run();
