import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { CAMPAIGNS } from "../../runtime/cli/campaign-files.ts";
import { SCENARIOS } from "../../scenarios/index.ts";
import { suite } from "../harness.ts";
import { bad, machine, onMachine } from "../sim/campaign/machine.ts";
import { chromiumPath, type Theatre, theatre } from "./page.ts";

const test = suite("a campaign's report in Chromium");

const path = chromiumPath();

/** Of each scenario. */
const SEEDS = 30;

/** The page of a campaign that found two kinds of failure, with a check whose name is markup. */
async function reportPage(): Promise<string> {
  const m = machine((job) => {
    const summary = bad(job);
    return summary.check === "leases" ? { ...summary, check: "<b>leases</b>" } : summary;
  });
  await onMachine(m, `all --seeds 1..${SEEDS} --dir d`);
  const [title = "", ...body] = (m.files.get("d/report.html") ?? "").split("\n");
  return CAMPAIGNS.page(title, body.join("\n"));
}

/** A browser with the page in it, and the page itself. */
async function played(body: (stage: Theatre, url: string) => Promise<void>): Promise<void> {
  if (path === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), "campaign-page-"));
  const stage = await theatre(path);
  try {
    const file = join(folder, "report.html");
    writeFileSync(file, await reportPage());
    await body(stage, pathToFileURL(file).href);
  } finally {
    await stage.close();
    rmSync(folder, { recursive: true });
  }
}

test("the page holds everything, and what runs say is text, never markup", async () => {
  const page = await reportPage();
  assert.match(page, `FAIL: campaign of ${SEEDS * SCENARIOS.length} runs`);
  assert.match(page, "npm run sim -- shrink bank --seed 10");
  assert.match(page, "&lt;b&gt;leases&lt;/b&gt;");
  assert.not.match(page, "<b>");
});

test("it asks nothing of anybody, is light and dark, and is used by keyboard", async () => {
  await played(async (stage, url) => {
    const grounds: string[] = [];
    for (const scheme of ["light", "dark"] as const) {
      const { page, complaints, requests } = await stage.visit(
        url,
        scheme,
        "code.command + button",
      );
      grounds.push(String(await page.evaluate("getComputedStyle(document.body).backgroundColor")));
      assert.equal(complaints, []);
      assert.is(requests.length, 1);
      assert.is(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
      // The second failure is folded until somebody opens it, with a key.
      const folded = page.locator("details.failure").nth(1);
      await folded.locator("summary").focus();
      await page.keyboard.press("Enter");
      assert.is(await folded.getAttribute("open"), "");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const button = folded.locator("button").first();
      await page.waitForTimeout(100);
      assert.match((await button.textContent()) ?? "", /^(Copied|Selected)$/);
    }
    assert.equal(grounds, ["rgb(255, 255, 255)", "rgb(18, 20, 23)"]);
  });
});

test.run();
