/** Tests that need a browser: all of a file share one, and leave no page behind. */
import { chromiumPath, type Theatre, theatre } from "./page.ts";

type Declare = (title: string, body: () => Promise<void>) => void;

/**
 * Declares tests in the browser; where the machine has none, one that says so. A page that stays
 * open would go on with its worker, so each test closes its own, and the last one the browser.
 */
export function playedIn(
  test: Declare,
): (title: string, body: (stage: Theatre) => Promise<void>) => void {
  const path = chromiumPath();
  if (path === undefined) {
    test("SKIPPED: no Chromium on this machine, so nothing is tested in it", async () => {
      console.log("SKIPPED: no Chromium on this machine");
      await Promise.resolve();
    });
    return () => undefined;
  }
  let shared: Promise<Theatre> | undefined;
  let left = 0;
  return (title, body) => {
    left += 1;
    test(title, async () => {
      shared ??= theatre(path);
      const stage = await shared;
      try {
        await body(stage);
      } finally {
        left -= 1;
        await (left === 0 ? stage.close() : stage.clear());
      }
    });
  };
}
