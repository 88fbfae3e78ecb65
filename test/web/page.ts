/** Our pages in a real browser, for tests: writes a page and opens it in headless Chromium. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { writePicture } from "../../runtime/cli/picture.ts";
import { writeWeb } from "../../runtime/cli/web.ts";
import { encodeFilm } from "../../sim/film/codec.ts";
import type { Film } from "../../sim/film/film.ts";

/** Where Debian, Ubuntu and Fedora put it; `CHROMIUM` says another place. */
const PLACES = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** The browser's program, where there is one. */
export const chromiumPath = (): string | undefined =>
  PLACES.find((path) => path !== "" && existsSync(path));

/** A canvas says so when it is drawn. */
const DRAWN = "canvas[data-in-sight]";

export interface Opened {
  readonly page: Page;
  /** What the console and uncaught errors said. */
  readonly complaints: readonly string[];
  /** What the page asked of anywhere but its own file. */
  readonly requests: readonly string[];
}

export interface Theatre {
  /** Opens any page, as soon as its canvas is drawn or something else is there. */
  visit(url: string, scheme?: "light" | "dark", ready?: string): Promise<Opened>;
  /** Writes the playground and opens it. */
  live(address?: string, scheme?: "light" | "dark"): Promise<Opened>;
  open(film: Film, address?: string, scheme?: "light" | "dark"): Promise<Opened>;
  /** Closes all pages. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function theatre(executablePath: string): Promise<Theatre> {
  const folder = mkdtempSync(join(tmpdir(), "rutile-picture-"));
  // Root has no sandbox, and containers have little shared memory.
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  const browser: Browser = await chromium.launch({ executablePath, args });
  let count = 0;
  const visit: Theatre["visit"] = async (url, colorScheme = "light", ready = DRAWN) => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme });
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(url);
    await page.waitForSelector(ready);
    return { page, complaints, requests };
  };
  const fresh = (): string => {
    count += 1;
    return join(folder, `${count}.html`);
  };
  return {
    visit,
    live(address = "", scheme = "light") {
      const path = fresh();
      const written = writeWeb(path);
      if (!written.ok) throw new Error(written.problem);
      return visit(`${pathToFileURL(path).href}${address}`, scheme);
    },
    open(film, address = "", scheme = "light") {
      const path = fresh();
      const written = writePicture(path, `${film.scenario}, seed ${film.seed}`, encodeFilm(film));
      if (!written.ok) throw new Error(written.problem);
      return visit(`${pathToFileURL(path).href}${address}`, scheme);
    },
    async clear() {
      for (const context of browser.contexts()) await context.close();
    },
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** How many messages the canvas says are in sight. */
export const inSight = async (page: Page): Promise<number> => {
  await settled(page);
  return Number(await page.locator("canvas").getAttribute("data-in-sight"));
};

/** Waits until the page has drawn what was asked of it. */
export const settled = async (page: Page): Promise<void> => {
  await page.evaluate(
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
  );
};

/** Waits until an expression is true in the page, whose policy lets it evaluate nothing itself. */
export async function until(page: Page, expression: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if ((await page.evaluate(expression)) === true) return;
    await page.waitForTimeout(50);
  }
  throw new Error(`never true: ${expression}`);
}
