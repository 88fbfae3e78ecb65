/** The playground's page: as a file, and served at a loopback address. */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { SCENARIOS } from "../../scenarios/index.ts";
import type { Host } from "../../sim/cli.ts";
import { LIVE_STYLE } from "./live-style.ts";
import { pageOf } from "./page.ts";
import { PICTURE_STYLE } from "./picture-style.ts";

/** Nobody but this machine sees it. */
const ADDRESS = "127.0.0.1";

const bundled = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../web/${name}`, import.meta.url)), "utf8");

/** The page: the engine and the simulator are in it, for a worker that it starts. */
export const playgroundPage = (): string =>
  pageOf({
    title: "Rutile, live",
    style: PICTURE_STYLE + LIVE_STYLE,
    script: bundled("live.js"),
    hint: "This page runs a simulated cluster and needs JavaScript.",
    held: [
      { id: "worker", text: bundled("live-worker.js") },
      { id: "scenarios", text: JSON.stringify(SCENARIOS.map(({ name }) => name)) },
    ],
    policy: ["worker-src blob:"],
  });

export const writeWeb: Host["writeWeb"] = (path) => {
  try {
    const page = playgroundPage();
    writeFileSync(path, page);
    return { ok: true, bytes: Buffer.byteLength(page) };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
};

/** Serves the page until the process is told to stop. Port 0 is any that is free. */
export const serveWeb: Host["serveWeb"] = (port, onReady) =>
  new Promise((resolve) => {
    const page = Buffer.from(playgroundPage());
    const server = createServer((request, response) => {
      const isKnown = request.url === "/" || request.url === "/index.html";
      const isRead = request.method === "GET" || request.method === "HEAD";
      // Browsers ask for an icon by themselves; there is none.
      const isIcon = request.url === "/favicon.ico";
      const status = !isRead ? 405 : isKnown ? 200 : isIcon ? 204 : 404;
      const body = status === 200 ? page : Buffer.from(isIcon ? "" : `${status}\n`);
      response.writeHead(status, {
        "content-type": status === 200 ? "text/html; charset=utf-8" : "text/plain",
        "content-length": body.length,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      });
      response.end(request.method === "HEAD" ? undefined : body);
    });
    server.once("error", (error) => resolve(problemOf(error)));
    server.listen(port, ADDRESS, () => {
      onReady(`http://${ADDRESS}:${(server.address() as AddressInfo).port}/`);
    });
    const stop = (): void => {
      server.close(() => resolve(undefined));
      server.closeAllConnections();
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });

const problemOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
