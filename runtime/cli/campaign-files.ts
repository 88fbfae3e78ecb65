/** Directories of campaigns: claimed, read, written on; and the name of the build that runs. */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CampaignFiles, CampaignHost, CampaignOpened } from "../../sim/cli.ts";
import { CLAIM_PREFIX, lockDirectory } from "../files/lock.ts";
import { pageOf } from "./page.ts";
import { REPORT_STYLE } from "./report-style.ts";

const SCRIPT = fileURLToPath(new URL("../web/report.js", import.meta.url));
const JOURNAL = "runs.jsonl";
/** What is read at once. */
const CHUNK = 1 << 16;
/** Whose code decides what a seed does, as the build has left it. */
const DECIDING: readonly string[] = ["engine", "sim", "scenarios"];
const BUILT = fileURLToPath(new URL("../../", import.meta.url));

export const CAMPAIGNS: CampaignHost = {
  build,
  open: (directory) => refusing(directory, () => open(directory)),
  openReports: (directory) => refusing(directory, () => openReports(directory)),
  read(directory) {
    try {
      const fd = openSync(join(directory, JOURNAL), "r");
      return { ok: true, lines: closing(fd) };
    } catch (error) {
      return { ok: false, problem: `${directory} holds no campaign: ${said(error)}` };
    }
  },
  page(title, body) {
    const script = readFileSync(SCRIPT, "utf8");
    return pageOf({ title, style: REPORT_STYLE, script, body, hint: "", held: [], policy: [] });
  },
  onInterrupt(act) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, act);
  },
};

/** A hash of the compiled code that decides what a seed does. */
function build(): string {
  const hash = createHash("sha256");
  for (const folder of DECIDING) {
    const names = readdirSync(join(BUILT, folder), { recursive: true, encoding: "utf8" });
    for (const name of names.filter((one) => one.endsWith(".js")).sort()) {
      const bytes = readFileSync(join(BUILT, folder, name));
      hash.update(`${folder}/${name.replaceAll("\\", "/")} ${bytes.length}\n`).update(bytes);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

function refusing(directory: string, body: () => CampaignOpened): CampaignOpened {
  try {
    return body();
  } catch (error) {
    return { ok: false, problem: `cannot use ${directory}: ${said(error)}` };
  }
}

function open(directory: string): CampaignOpened {
  makeDirectory(directory);
  const stranger = readdirSync(directory).find((name) => !name.startsWith(CLAIM_PREFIX));
  if (stranger !== undefined && !existsSync(join(directory, JOURNAL))) {
    const problem = `${directory} is no campaign's directory: it holds ${stranger}, no ${JOURNAL}`;
    return { ok: false, problem };
  }
  const locked = lockDirectory(directory);
  if (!locked.ok) {
    return { ok: false, problem: locked.detail.replace("the data directory ", "") };
  }
  try {
    const fd = openSync(join(directory, JOURNAL), "a+");
    ftruncateSync(fd, wholeLength(fd));
    return { ok: true, files: filesOf(directory, fd, () => locked.lock.release()) };
  } catch (error) {
    locked.lock.release();
    throw error;
  }
}

function openReports(directory: string): CampaignOpened {
  makeDirectory(directory);
  if (existsSync(join(directory, JOURNAL))) {
    return { ok: false, problem: `${directory} is a campaign's own: --out names another` };
  }
  return { ok: true, files: filesOf(directory, undefined, () => undefined) };
}

/** Node's own recursion never ends where a directory is refused with "no such file": in /proc. */
function makeDirectory(directory: string): void {
  const path = resolve(directory);
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another campaign has just made the directory that both are in.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** `fd` is of the journal, if there is one. */
function filesOf(directory: string, fd: number | undefined, release: () => void): CampaignFiles {
  return {
    lines: fd === undefined ? [] : { [Symbol.iterator]: () => linesOf(fd) },
    append: (text) => trying(() => fd !== undefined && writeWhole(fd, Buffer.from(text))),
    sync: () => trying(() => fd !== undefined && fdatasyncSync(fd)),
    write: (name, text) =>
      trying(() => {
        const path = join(directory, name);
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      }),
    close() {
      if (fd !== undefined) closeSync(fd);
      release();
    },
  };
}

/** A disk that fills up takes a part of what it is given, and refuses the rest next time. */
function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

/** Where the last whole line ends. */
function wholeLength(fd: number): number {
  const chunk = Buffer.alloc(CHUNK);
  let [at, end] = [0, 0];
  for (;;) {
    const length = readSync(fd, chunk, 0, CHUNK, at);
    if (length === 0) return end;
    const last = chunk.subarray(0, length).lastIndexOf(10);
    if (last >= 0) end = at + last + 1;
    at += length;
  }
}

/** Whole lines without their ends, read bit by bit: a journal may be larger than a string can. */
function* linesOf(fd: number): Generator<string, void> {
  const chunk = Buffer.alloc(CHUNK);
  let [at, rest] = [0, Buffer.alloc(0)];
  for (;;) {
    const length = readSync(fd, chunk, 0, CHUNK, at);
    if (length === 0) return;
    at += length;
    const bytes = Buffer.concat([rest, chunk.subarray(0, length)]);
    let begin = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begin)) {
      yield bytes.toString("utf8", begin, end);
      begin = end + 1;
    }
    rest = bytes.subarray(begin);
  }
}

function* closing(fd: number): Generator<string, void> {
  try {
    yield* linesOf(fd);
  } finally {
    closeSync(fd);
  }
}

function trying(body: () => unknown): string | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    return said(error);
  }
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));
