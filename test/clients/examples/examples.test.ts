/**
 * The examples of `docs/client.md` are programs of this folder: word for word the same, and what
 * they say that they print is what they print, each run by itself as a reader would run it.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { makeCertificates } from "../../runtime/certificates.ts";
import { startSmallCluster } from "../../runtime/small-cluster.ts";
import { suite } from "../../harness.ts";

const test = suite("clients/examples");

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const sources = join(root, "test/clients/examples");
const compiled = fileURLToPath(new URL(".", import.meta.url));
/** Where a cluster of `npm start` is found. */
const USUAL = "127.0.0.1:2379";
/** Needs a cluster of its own kind. */
const ENCRYPTED = "tls.ts";

const names = readdirSync(sources)
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .sort();

/** The program without the comment at its head. */
const programOf = (name: string): string =>
  readFileSync(join(sources, name), "utf8").replace(/^\/\*\*[\s\S]*?\*\/\n/, "");

/** What the comments of a program say that it prints, line by line. */
const promisedBy = (program: string): string[] =>
  [...program.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line ?? "");

test("the programs in docs/client.md are those of this folder, and all of them are there", () => {
  const text = readFileSync(join(root, "docs/client.md"), "utf8");
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? "");
  assert.equal([...blocks].sort(), names.map(programOf).sort());
});

test("each program prints what it says, and ends by itself", async () => {
  const cluster = await startSmallCluster();
  try {
    const plain = names.filter((name) => name !== ENCRYPTED);
    await Promise.all(plain.map((name) => runs(name, cluster.pd)));
  } finally {
    await cluster.stop();
  }
});

test("so does the one that needs certificates, beside which it finds them", async () => {
  const certificates = await makeCertificates();
  const { ca, cert, key } = certificates;
  const own = { "security.cert-path": cert, "security.key-path": key };
  const cluster = await startSmallCluster({
    pd: { ...own, "security.cacert-path": ca },
    tikv: { ...own, "security.ca-path": ca },
  });
  try {
    await runs(ENCRYPTED, cluster.pd, certificates.directory);
  } finally {
    await cluster.stop();
    certificates.remove();
  }
});

/** Runs the compiled program against the cluster at `pd`; the files of `beside` lie beside it. */
async function runs(name: string, pd: string, beside?: string): Promise<void> {
  const program = programOf(name);
  // Below the package's own folder, so that its name is found.
  const folder = join(compiled, `run-${process.pid}-${name}`);
  if (beside === undefined) mkdirSync(folder);
  else cpSync(beside, folder, { recursive: true });
  try {
    const code = readFileSync(join(compiled, name.replace(/ts$/, "js")), "utf8");
    writeFileSync(join(folder, "program.js"), code.replaceAll(USUAL, pd));
    const { status, output } = await execute(folder);
    assert.equal(output.trimEnd().split("\n"), promisedBy(program), name);
    assert.is(status, 0, name);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function execute(folder: string): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, ["program.js"], { cwd: folder, timeout: 60_000 });
  let output = "";
  const take = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  return new Promise((resolve) => {
    child.on("close", (status) => resolve({ status, output }));
  });
}

test.run();
