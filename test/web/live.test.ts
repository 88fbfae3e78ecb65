import { setImmediate as drain } from "node:timers/promises";
import type { Page } from "playwright-core";
import * as assert from "uvu/assert";
import { SCENARIOS } from "../../scenarios/index.ts";
import type { NamedLink } from "../../sim/faults/targets.ts";
import type { Deed } from "../../sim/live/deed.ts";
import { type Action, FIRST_PLAN, readPlay, writePlay } from "../../sim/live/play.ts";
import { follow, playgroundOf } from "../../sim/live/playground.ts";
import { runSeed } from "../../sim/run.ts";
import { traceText } from "../../sim/trace/trace.ts";
import { suite } from "../harness.ts";
import { until } from "./page.ts";
import { playedIn } from "./played.ts";

const test = suite("the playground in Chromium");

const played = playedIn(test);

const server = (name: string): string => `.node[aria-label='${name}']`;

/** Waits until the words about a server contain a text. */
const says = (page: Page, name: string, text: string): Promise<void> =>
  until(
    page,
    `(document.querySelector("${server(name)}")?.textContent ?? "").includes(${JSON.stringify(text)})`,
  );

/** Who leads the region, as the page says. */
async function leader(page: Page): Promise<string> {
  await until(page, `document.querySelector(".nodes")?.textContent.includes("r3 leader") === true`);
  const cards = await page.locator(".node").all();
  for (const card of cards) {
    const text = (await card.textContent()) ?? "";
    const name = (await card.getAttribute("aria-label")) ?? "";
    if (/r\d+ leader/.test(text) && !text.includes("was")) return name;
  }
  throw new Error("nobody leads");
}

const told = (page: Page, text: string): Promise<void> =>
  until(
    page,
    `(document.querySelector(".told li")?.textContent ?? "").includes(${JSON.stringify(text)})`,
  );

/** As the page writes it. */
const addressOf = (play: string, atUs: number): string =>
  `at=${atUs}&play=${Buffer.from(play).toString("base64url")}`;

/** The address once it has come to rest. */
async function address(page: Page): Promise<string> {
  for (let last = ""; ;) {
    await page.waitForTimeout(1200);
    const now = (await page.evaluate("location.hash")) as string;
    if (now === last) return now;
    last = now;
  }
}

const seconds = async (page: Page): Promise<number> =>
  Number.parseFloat((await page.locator("#time").textContent()) ?? "");

played(
  "a cluster runs soon after the page is opened, and the page asks nothing of anybody",
  async (stage) => {
    const { page, complaints, requests } = await stage.live();
    const before = await seconds(page);
    assert.ok((await leader(page)).startsWith("store"));
    await page.waitForTimeout(600);
    assert.ok((await seconds(page)) > before + 0.1);
    assert.ok(Number(await page.locator("canvas").getAttribute("data-in-sight")) > 10);
    assert.equal(complaints, []);
    // The page itself, and the worker out of it.
    assert.ok(requests.every((url) => url.startsWith("file:") || url.startsWith("blob:")));
    assert.is(requests.length, 2);
  },
);

played(
  "by keys alone: a key is written, the leader crashes, another leads, the key is read",
  async (stage) => {
    const { page, complaints } = await stage.live();
    const first = await leader(page);
    await page.keyboard.press("k");
    await page.keyboard.type("city");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Riga");
    await page.keyboard.press("Enter");
    await told(page, "written");
    for (let i = 0; i < 40; i++) {
      if ((await page.evaluate("document.activeElement.tagName")) === "CANVAS") break;
      await page.keyboard.press("Shift+Tab");
    }
    await page.keyboard.press(first.replace("store ", ""));
    await page.keyboard.press("c");
    await says(page, first, "down");
    for (let i = 0; i < 3; i++) await page.keyboard.press("]");
    await until(
      page,
      `/r\\d+ leader/.test([...document.querySelectorAll(".node")]
    .filter((one) => one.dataset.status === "up" && one.ariaLabel !== "pd 1")
    .map((one) => one.textContent).join())`,
    );
    assert.is.not(await leader(page), first);
    await page.keyboard.press("k");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("g");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await told(page, "Riga");
    assert.equal(complaints, []);
  },
);

played("everything is reached by Tab, and a dialog lists the keys", async (stage) => {
  const { page } = await stage.live();
  const count = Number(
    await page.evaluate(`[...document.querySelectorAll("button,select,input,summary,canvas")]
      .filter((one) => !one.disabled && one.checkVisibility() && one.tabIndex >= 0).length`),
  );
  await page.evaluate("document.activeElement.blur()");
  const seen = new Set<string>();
  for (let i = 0; i < count + 20; i++) {
    await page.keyboard.press("Tab");
    seen.add(
      String(
        await page.evaluate(`(() => {
          const one = document.activeElement;
          return one.tagName + (one.ariaLabel ?? one.id) + one.textContent.slice(0, 20);
        })()`),
      ),
    );
  }
  assert.ok(seen.size >= count * 0.9, `${seen.size} of ${count}`);
  await page.locator("canvas").focus();
  await page.keyboard.press("?");
  const help = await page.locator("dialog[open]").textContent();
  assert.ok(help?.includes("crash the chosen server") && help.includes("zoom in"), help ?? "");
});

played("a link is cut in one direction or both, shows it, and is mended", async (stage) => {
  const { page } = await stage.live();
  const cell = page.locator("[title$='store 1 → store 2']");
  const back = page.locator("[title$='store 2 → store 1']");
  await cell.click();
  await until(page, `document.querySelectorAll(".links .cut").length === 2`);
  assert.is(await cell.getAttribute("aria-label"), "Mend store 1 → store 2");
  await page.getByLabel("both directions at once").uncheck();
  await back.click();
  await until(page, `document.querySelectorAll(".links .cut").length === 1`);
  await page.getByLabel("Isolate pd 1").click();
  await until(page, `document.querySelectorAll(".links .cut").length === 13`);
  await page.keyboard.press("Escape");
  await page.getByLabel("End every fault (h)").click();
  await until(page, `document.querySelectorAll(".links .cut").length === 0`);
});

played("clocks, disks and processes are troubled from their menus", async (stage) => {
  const { page } = await stage.live();
  await page.getByLabel("clock of store 2").selectOption({ label: "step 10 s ahead" });
  await until(
    page,
    `/\\+(9|10)\\.\\d\\d s/.test(document.querySelector("${server("store 2")} .clock").textContent)`,
  );
  await page.getByLabel("clock of store 2").selectOption({ label: "4 % slow" });
  await says(page, "store 2", "4 % slow");
  await page.getByLabel("disk of store 3").selectOption({ label: "100 times slower" });
  await says(page, "store 3", "100 × slow");
  await page.getByLabel("Pause store 3").click();
  await says(page, "store 3", "paused");
  await page.getByLabel("Let store 3 go on").click();
  await page.getByLabel("store 3 loses power").click();
  await says(page, "store 3", "down");
  await page.getByLabel("Start store 3").click();
  await says(page, "store 3", "● up");
  assert.is(await page.locator(".deeds li").count(), 7);
});

played("in the past things are as they were; a deed there begins another course", async (stage) => {
  const { page } = await stage.live();
  const first = await leader(page);
  await page.getByLabel(`Crash ${first}`).click();
  await says(page, first, "down");
  await page.waitForTimeout(500);
  await page
    .locator(".time input")
    .evaluate((slider: { value: string; dispatchEvent(e: Event): void }) => {
      slider.value = "1500000";
      slider.dispatchEvent(new Event("input"));
    });
  await says(page, first, "● up");
  await until(page, `document.querySelector("#time").textContent.startsWith("1.500 s of")`);
  assert.is(await page.locator(".deeds .later").count(), 1);
  await page.getByLabel("Cut store 1 → store 3").click();
  await until(page, `document.querySelectorAll(".links .cut").length === 2`);
  await until(page, `document.querySelectorAll(".deeds li").length === 1`);
  await says(page, first, "● up");
  const courses = page.getByLabel("Courses that were left");
  await courses.selectOption("0");
  await says(page, first, "down");
});

played("an address brings the moment back, in Node too, to the same trace", async (stage) => {
  const { page } = await stage.live();
  await page.getByLabel("Pause store 2").click();
  await page.getByLabel("Isolate store 3").click();
  await page.waitForTimeout(700);
  await page.keyboard.press("Escape");
  await page.locator("#play").click();
  const hash = await address(page);
  const figures = await page.locator("#figures").textContent();
  const again = await stage.live(hash);
  await until(
    again.page,
    `document.querySelector("#figures").textContent === ${JSON.stringify(figures)}`,
  );
  assert.is(await again.page.locator(".links .cut").count(), 12);

  const fields = new URLSearchParams(hash.slice(1));
  const text = Buffer.from(fields.get("play") ?? "", "base64url").toString();
  const read = readPlay(text);
  assert.ok(read.ok);
  if (!read.ok) return;
  assert.is(read.play.actions.length, 2);
  const node = playgroundOf(read.play.cluster, () => drain());
  const untilUs = Number(fields.get("at"));
  for (let done = false; !done;) done = await follow(node, read.play, untilUs, 1000);
  const { world } = node;
  const events = world.events.toLocaleString("en");
  assert.is(figures, `${events} events, trace ${traceText(world.trace)}`);
});

played(
  "an address that makes no sense is said to, and a cluster runs all the same",
  async (stage) => {
    const { page } = await stage.live("#at=1&play=e30");
    assert.match((await page.locator("#notice").textContent()) ?? "", "version undefined");
    assert.ok((await leader(page)).startsWith("store"));
  },
);

played("another cluster is built, and what makes no sense is refused in words", async (stage) => {
  const { page } = await stage.live();
  await page.keyboard.press("b");
  const dialog = page.locator("dialog[open]");
  await dialog.locator("[name=members]").fill("2");
  await dialog.getByRole("button", { name: "Build" }).click();
  assert.match((await dialog.textContent()) ?? "", "members must be 1, 3 or 5, not 2");
  await dialog.locator("[name=members]").fill("3");
  await dialog.locator("[name=stores]").fill("5");
  await dialog.locator("[name=clients]").fill("0");
  await dialog.locator("[name=network]").selectOption("2");
  await dialog.getByRole("button", { name: "Build" }).click();
  await until(page, `document.querySelectorAll(".node").length === 8`);
  assert.match((await page.locator("h1").textContent()) ?? "", "5 stores, 3 pd");
});

played("a clock worse than leases allow for leads to a violation, in red", async (stage) => {
  const others = ["store 2", "store 3", "pd 1"];
  const links = others.flatMap((name): NamedLink[] => [
    ["store 1", name],
    [name, "store 1"],
  ]);
  const slow: Deed = { type: "clock_drift", machine: "store 1", millionths: -500_000 };
  // Written by hand, without counts of events: each is done at its time.
  const actions: Action[] = [
    { atUs: 2_000_000, after: 1e9, deed: slow },
    { atUs: 2_200_000, after: 1e9, deed: { type: "cut", links } },
  ];
  const play = writePlay({ cluster: FIRST_PLAN, actions });
  const { page } = await stage.live(`#${addressOf(play, 2_200_000)}`);
  await page.locator("#speed").selectOption({ label: "2 × faster" });
  await page.locator("#play").click();
  await until(page, `!document.querySelector("#alarm").hidden`);
  assert.match((await page.locator("#alarm").textContent()) ?? "", "disjoint leases");
  await page.locator("canvas").focus();
  await page.keyboard.press("v");
  await until(page, `document.querySelector("#details").textContent.includes("store 3 at 3.38")`);
});

played("light and dark follow the system", async (stage) => {
  const ground = "getComputedStyle(document.body).backgroundColor";
  const { page } = await stage.live("", "dark");
  assert.is(await page.evaluate(ground), "rgb(18, 20, 23)");
  await page.getByLabel("Light or dark").click();
  assert.is(await page.evaluate(ground), "rgb(255, 255, 255)");
});

played("a scenario ends with the same trace in Chromium as in Node", async (stage) => {
  const { page } = await stage.live();
  await page.locator("#play").click();
  await page.getByText("The same run in Node").click();
  await page.getByLabel("Run the scenario in this browser").click();
  const scenario = SCENARIOS.find(({ name }) => name === "partitions");
  assert.ok(scenario);
  if (scenario === undefined) return;
  const { trace, events } = await runSeed(scenario, "1", () => drain());
  for (let i = 0; i < 600; i++) {
    if ((await page.locator("#proof").textContent())?.includes("trace=") === true) break;
    await page.waitForTimeout(50);
  }
  const said = (await page.locator("#proof").textContent()) ?? "";
  assert.ok(said.includes(`trace=${trace} events=${events}`), `${said} in Chromium, ${trace} here`);
});

test.run();
