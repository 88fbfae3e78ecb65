/**
 * The smoke seeds in Chromium: by the playground's own worker, as `npm run sim -- web` ships it,
 * two side by side.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Proving, Reply } from "../../runtime/web/live/messages.ts";
import { type Smoke, SMOKES } from "../sim/smoke.ts";
import { chromiumPath } from "../web/page.ts";
import { nameOf, type Place } from "./place.ts";

type Proved = Extract<Reply, { type: "proved" }>;

const WORKER = fileURLToPath(new URL("../../runtime/web/live-worker.js", import.meta.url));
const SIDE_BY_SIDE = 2;

/** Run in the page: gives `wishes` to so many workers, and what they proved in that order. */
const PROVE = `async ({ text, wishes, count }) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const proved = [];
  let next = 0;
  const work = () => new Promise((resolve, reject) => {
    const worker = new Worker(url);
    let at = 0;
    const go = () => {
      at = next++;
      if (at < wishes.length) return worker.postMessage(wishes[at]);
      worker.terminate();
      resolve();
    };
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }) => {
      if (data.type === "failed") reject(new Error(data.problem));
      if (data.type !== "proved") return;
      proved[at] = data;
      go();
    };
    go();
  });
  await Promise.all(Array.from({ length: count }, work));
  return proved;
}`;

/** Undefined where the machine has no Chromium. */
export async function inChromium(): Promise<Place | undefined> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) return undefined;
  // Root has no sandbox, and containers have little shared memory.
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  const browser = await chromium.launch({ executablePath, args });
  const page = await browser.newPage();
  const text = readFileSync(WORKER, "utf8");
  const prove = async (wishes: readonly Proving[]): Promise<readonly Proved[]> => {
    const told = JSON.stringify({ text, wishes, count: SIDE_BY_SIDE });
    return (await page.evaluate(`(${PROVE})(${told})`)) as readonly Proved[];
  };
  return {
    name: `in Chromium ${browser.version()}`,
    async traces() {
      const proved = await prove(SMOKES.map((smoke) => wishOf(smoke, false)));
      return new Map(SMOKES.map((smoke, i) => [nameOf(smoke), proved[i]?.trace ?? "none"]));
    },
    async recording(smoke) {
      const [proved] = await prove([wishOf(smoke, true)]);
      return proved?.recording ?? { hashes: [], labels: [] };
    },
    leave: () => browser.close(),
  };
}

const wishOf = ({ scenario, seed }: Smoke, recorded: boolean): Proving => {
  const { name, safetyMs } = scenario;
  return { type: "prove", scenario: name, seed, safetyMs, recorded };
};
