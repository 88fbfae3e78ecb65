/**
 * Writes the picture of a run: one page that holds its style, its script (bundled by the build) and
 * the film, compressed. It asks nothing of any network, and its policy says so.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Host } from "../../sim/cli.ts";
import { PICTURE_STYLE } from "./picture-style.ts";

const SCRIPT = fileURLToPath(new URL("../web/picture.js", import.meta.url));

export const writePicture: Host["writePicture"] = (path, title, film) => {
  try {
    const page = pictureOf(title, readFileSync(SCRIPT, "utf8"), film);
    writeFileSync(path, page);
    return { ok: true, bytes: Buffer.byteLength(page) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
};

function pictureOf(title: string, bundle: string, film: Uint8Array): string {
  // What would end the element early stands in strings only, where this means the same.
  const script = bundle.replaceAll("</script", "<\\/script");
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(PICTURE_STYLE)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${PICTURE_STYLE}</style>
</head>
<body>
<noscript>This page draws a simulated run and needs JavaScript.</noscript>
<script type="application/octet-stream" id="film">${gzipSync(film).toString("base64")}</script>
<script>${script}</script>
</body>
</html>
`;
}

const hashOf = (text: string): string =>
  `sha256-${createHash("sha256").update(text).digest("base64")}`;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
