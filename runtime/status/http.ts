/** A small HTTP/1.1 server of read-only pages: a path, and what is answered there. */
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** `rest` is what follows the route's path, without the slash; empty for an exact match. */
export type Answer = (rest: string, query: URLSearchParams) => Page | Promise<Page>;

/** A path that ends in `/*` answers everything below it. */
export type Routes = ReadonlyMap<string, Answer>;

export interface HttpServer {
  /** Speaks HTTP/1.1 on a socket that somebody else accepted. */
  accept(socket: Socket): void;
  close(): void;
}

/** `value` as JSON; a bigint becomes a number where it fits, as PD prints them. */
export function json(value: unknown, status = 200): Page {
  const body = JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "bigint" ? Number(item) : item,
  );
  return { status, type: "application/json; charset=utf-8", body: `${body}\n` };
}

export const text = (body: string, status = 200): Page => ({
  status,
  type: "text/plain; charset=utf-8",
  body,
});

export function createHttpServer(routes: Routes): HttpServer {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://node");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return send(response, text("method not allowed\n", 405));
    }
    const found = find(routes, url.pathname);
    if (found === undefined) return send(response, text("not found\n", 404));
    return void Promise.resolve(found.answer(found.rest, url.searchParams)).then(
      (page) => send(response, page),
      (error: unknown) => send(response, text(`${String(error)}\n`, 500)),
    );
  });
  return {
    accept: (socket) => void server.emit("connection", socket),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function find(routes: Routes, path: string): { answer: Answer; rest: string } | undefined {
  const exact = routes.get(path);
  if (exact !== undefined) return { answer: exact, rest: "" };
  const at = path.lastIndexOf("/");
  const below = routes.get(`${path.slice(0, at)}/*`);
  return below === undefined ? undefined : { answer: below, rest: path.slice(at + 1) };
}

function send(response: ServerResponse, page: Page): void {
  response.writeHead(page.status, {
    "content-type": page.type,
    "content-length": Buffer.byteLength(page.body),
  });
  response.end(page.body);
}
