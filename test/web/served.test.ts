import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";
import { chromiumPath, theatre, until } from "./page.ts";

const test = suite("the playground, served");

const CLI = fileURLToPath(new URL("../../runtime/cli.js", import.meta.url));

/** The command with its output so far; it has said its address when this resolves. */
async function served(): Promise<{ url: string; stop: () => Promise<number | null> }> {
  const child = spawn(process.execPath, [CLI, "sim", "web", "--port", "0"]);
  const ended = once(child, "exit") as Promise<[number | null]>;
  let said = "";
  while (!said.includes("\n")) {
    const [chunk] = (await once(child.stdout, "data")) as [Buffer];
    said += chunk.toString();
  }
  const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
  if (url === undefined) throw new Error(said);
  const stop = async (): Promise<number | null> => {
    child.kill("SIGINT");
    return (await ended)[0];
  };
  return { url, stop };
}

test("one page is served and nothing else, until Ctrl-C", async () => {
  const { url, stop } = await served();
  try {
    const page = await fetch(url);
    assert.is(page.status, 200);
    assert.match(page.headers.get("content-type") ?? "", "text/html");
    assert.match(await page.text(), "Content-Security-Policy");
    assert.is((await fetch(`${url}etc/passwd`)).status, 404);
    assert.is((await fetch(url, { method: "POST", body: "x" })).status, 405);
    const head = await fetch(url, { method: "HEAD" });
    assert.is(head.status, 200);
    assert.is((await head.text()).length, 0);
  } finally {
    assert.is(await stop(), 0);
  }
});

test("a port that is taken is told in one line, with status 1", async () => {
  const other = createServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const child = spawn(process.execPath, [CLI, "sim", "web", "--port", String(port)]);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  other.close();
  assert.is(status, 1);
  assert.match(said, /^sim: cannot serve the playground: .*EADDRINUSE.*\n$/);
});

const path = chromiumPath();
if (path !== undefined) {
  test("the page runs a cluster where it is served as where it is a file", async () => {
    const { url, stop } = await served();
    const stage = await theatre(path);
    try {
      const { page, complaints } = await stage.visit(url);
      await until(
        page,
        `document.querySelector(".nodes")?.textContent.includes("leader") === true`,
      );
      assert.equal(complaints, []);
    } finally {
      await stage.close();
      assert.is(await stop(), 0);
    }
  });
}

test.run();
