/** The version of this program, as its package says. */
import { readFileSync } from "node:fs";

/** Read once at start; the package lies two folders above the compiled file. */
export const RUTILE_VERSION: string = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  }
).version;
