// Bundles the compiled pages of runtime/web, each into one script that a page can hold inline.
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
let esbuild;
try {
  esbuild = await import("esbuild");
} catch {
  console.error("tools/web/bundle.mjs: esbuild is not installed; run npm ci");
  process.exit(1);
}
const PAGES = [
  ["picture/page.js", "picture.js"],
  ["report/page.js", "report.js"],
  ["live/page.js", "live.js"],
  ["live/worker.js", "live-worker.js"],
];
for (const [entry, out] of PAGES) {
  await esbuild.build({
    entryPoints: [`${root}dist/runtime/web/${entry}`],
    outfile: `${root}dist/runtime/web/${out}`,
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    platform: "browser",
    legalComments: "inline",
    logLevel: "warning",
  });
}
