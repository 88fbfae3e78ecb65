/**
 * Writes the picture of a run: one page that holds its style, its script (bundled by the build) and
 * the film, compressed. It asks nothing of any network, and its policy says so.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Host } from "../../sim/cli.ts";
import { pageOf } from "./page.ts";
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

const pictureOf = (title: string, script: string, film: Uint8Array): string =>
  pageOf({
    title,
    style: PICTURE_STYLE,
    script,
    hint: "This page draws a simulated run and needs JavaScript.",
    held: [{ id: "film", text: gzipSync(film).toString("base64") }],
    policy: [],
  });
