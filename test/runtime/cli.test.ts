/** The command line as a shell sees it: what is printed where, and the exit status. */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { suite } from "../harness.ts";

const test = suite("runtime/cli");

const CLI = fileURLToPath(new URL("../../runtime/cli.js", import.meta.url));

interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function run(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { timeout: 20_000 }, (error, out, err) => {
      resolve({ status: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "rutile-cli-"));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A port that nobody has, as far as anybody can tell. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

test("the version and the help go to standard output with status 0", async () => {
  const [version, help, ...commands] = await Promise.all([
    run("--version"),
    run("--help"),
    ...["pd-server", "tikv-server", "playground"].map((command) => run(command, "--help")),
  ]);
  assert.match(version.out, /^rutile \d+\.\d+\.\d+\n$/);
  for (const command of ["pd-server", "tikv-server", "playground", "sim"]) {
    assert.match(help.out, command);
  }
  for (const outcome of [version, help, ...commands]) {
    assert.equal([outcome.status, outcome.err], [0, ""]);
  }
});

test("wrong usage is one line that names what is wrong, with status 2", async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["tikv-server", "--nonsense"], /^error: unknown option '--nonsense'\n$/],
    [["pd-server", "--data-dri", "x"], /^error: unknown option '--data-dri' \(did .*--data-dir/],
    [["nonsense"], /^error: unknown command 'nonsense'\n$/],
    [["tikv-server", "--addr", "nowhere"], /^error: .*'nowhere'.* "host:port"\.\n$/],
    [["tikv-server", "extra"], /^error: too many arguments.*\n$/],
    [["playground", "--stores", "0"], /^error: .* whole number from 1 to 16\.\n$/],
    [["pd-server", "--initial-cluster", "x"], /^error: --initial-cluster must be .* not x\n$/],
    [["tikv-server", "--config", "/nowhere"], /^error: cannot read the configuration: .*\n$/],
  ];
  const outcomes = await Promise.all(cases.map(([args]) => run(...args)));
  for (const [i, [args, expected]] of cases.entries()) {
    const outcome = outcomes[i];
    assert.match(outcome?.err ?? "", expected);
    assert.equal([outcome?.status, outcome?.out], [2, ""], args.join(" "));
  }
});

test("an unknown configuration key is named with its file and line", () =>
  withDirectory(async (directory) => {
    const file = join(directory, "tikv.toml");
    writeFileSync(file, '[server]\naddr = "127.0.0.1:1"\n[raftstore]\nraft-tick = 1\n');
    const outcome = await run("tikv-server", "--config", file);
    assert.is(outcome.err, `error: ${file}:4: unknown configuration key raftstore.raft-tick\n`);
    assert.is(outcome.status, 2);
  }));

/** Starts a placement member and waits until it answers. */
async function startMember(directory: string, client: number, peer: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [CLI, ...memberArgs(directory, client, peer)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${client}/pd/api/v1/ping`).catch(() => undefined);
    if (answer?.ok === true) return child;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error("the member does not answer");
}

const memberArgs = (directory: string, client: number, peer: number): readonly string[] => [
  "pd-server",
  `--data-dir=${directory}`,
  `--client-urls=http://127.0.0.1:${client}`,
  `--peer-urls=http://127.0.0.1:${peer}`,
];

test("a member holds its port and directory against others, and stops when it is told", () =>
  withDirectory(async (directory) => {
    const [client, peer, other, another] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const data = join(directory, "data");
    const fresh = join(directory, "fresh");
    const member = await startMember(data, client, peer);
    const exited = new Promise<number | null>((resolve) => member.once("exit", resolve));
    const [held, inUse] = await Promise.all([
      run(...memberArgs(data, other, another)),
      run(...memberArgs(fresh, client, another)),
    ]);
    assert.is(held.status, 1);
    assert.match(held.err, /data directory .* is in use by another process/);
    assert.is(inUse.status, 1);
    assert.match(inUse.err, `cannot listen on 127.0.0.1:${client}: the port is in use`);
    // It gave up before it had written anything.
    assert.equal(readdirSync(fresh), []);
    member.kill("SIGTERM");
    assert.is(await exited, 0);
  }));

test.run();
