/** The transport between nodes, and the port that it shares with gRPC and HTTP. */
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Address } from "../../runtime/network/address.ts";
import { listen } from "../../runtime/network/demux.ts";
import type { Listener } from "../../runtime/network/demux.ts";
import { createGrpcClient } from "../../runtime/grpc/client.ts";
import { SILENT } from "../../runtime/log.ts";
import type { Logger } from "../../runtime/log.ts";
import { FrameSplitter } from "../../runtime/network/frame.ts";
import { checkPreamble, createTransport, encodePreamble } from "../../runtime/network/network.ts";
import type { Self, Transport } from "../../runtime/network/network.ts";
import type { NodeTls } from "../../runtime/network/tls.ts";
import { suite } from "../harness.ts";
import { makeCertificates } from "./certificates.ts";
import { ECHO_SERVICE, startEchoServer } from "./echo-service.ts";

const test = suite("runtime/network");

interface Node {
  readonly transport: Transport;
  readonly listener: Listener;
  readonly received: string[];
  readonly unreachable: number[];
  close(): void;
}

const until = async (condition: () => boolean, what: string): Promise<void> => {
  const deadline = Date.now() + 2000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within two seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

async function startNode(
  id: number,
  addresses: Map<number, Address>,
  options: { cluster?: bigint; port?: number; logger?: Logger; tls?: NodeTls } = {},
): Promise<Node> {
  const received: string[] = [];
  const unreachable: number[] = [];
  const transport = createTransport({
    self: () => ({ kind: "store", cluster: options.cluster ?? 7n, id }),
    resolve: (peer) => Promise.resolve(addresses.get(peer)),
    received(from, bytes) {
      const text = Buffer.from(bytes).toString();
      received.push(`${from}:${text}`);
      return text !== "garbage";
    },
    unreachable: (peer) => void unreachable.push(peer),
    logger: options.logger ?? SILENT,
    tls: options.tls,
  });
  const listening = await listen(
    { host: "127.0.0.1", port: options.port ?? 0 },
    { peer: (socket) => transport.accept(socket) },
    options.tls,
  );
  if (!listening.ok) throw new Error(listening.detail);
  const { listener } = listening;
  addresses.set(id, listener.address);
  return {
    transport,
    listener,
    received,
    unreachable,
    close() {
      listener.stop();
      transport.close();
    },
  };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Sends until one arrives, as a node does that repeats its heartbeats. */
async function sendUntilReceived(from: Node, to: number, text: string, at: Node): Promise<void> {
  await until(() => {
    from.transport.send(to, bytes(text));
    return at.received.some((line) => line.endsWith(text));
  }, `${text} arrives`);
}

test("messages arrive in order, whatever their size", async () => {
  const addresses = new Map<number, Address>();
  const a = await startNode(1, addresses);
  const b = await startNode(2, addresses);
  const large = "x".repeat(300_000);
  for (const text of ["one", "", large, "two"]) a.transport.send(2, bytes(text));
  await until(() => b.received.length === 4, "four messages");
  assert.equal(b.received, ["1:one", "1:", `1:${large}`, "1:two"]);
  a.close();
  b.close();
});

test("a node that comes back on its port is reached again", async () => {
  const addresses = new Map<number, Address>();
  const a = await startNode(1, addresses);
  const b = await startNode(2, addresses);
  await sendUntilReceived(a, 2, "before", b);
  const { port } = b.listener.address;
  b.close();
  await until(() => {
    a.transport.send(2, bytes("lost"));
    return a.unreachable.includes(2);
  }, "the break is reported");
  const again = await startNode(2, addresses, { port });
  await sendUntilReceived(a, 2, "after", again);
  a.close();
  again.close();
});

test("a node whose address nobody knows is reported as unreachable", async () => {
  const a = await startNode(1, new Map());
  a.transport.send(9, bytes("x"));
  await until(() => a.unreachable.length === 1, "the report");
  assert.equal(a.unreachable, [9]);
  assert.is(a.transport.load().dropped, 1);
  a.close();
});

test("a node of another cluster is refused and named in the log", async () => {
  const lines: string[] = [];
  const logger: Logger = {
    log: (_level, _message, fields) => void lines.push(String(fields?.["reason"])),
    close: () => undefined,
  };
  const addresses = new Map<number, Address>();
  const stranger = await startNode(1, addresses, { cluster: 8n });
  const b = await startNode(2, addresses, { logger });
  stranger.transport.send(2, bytes("x"));
  await until(() => lines.length > 0, "the log line");
  assert.is(lines[0], "the peer is of cluster 8, not 7");
  assert.equal(b.received, []);
  stranger.close();
  b.close();
});

test("a message that does not decode closes the connection", async () => {
  const addresses = new Map<number, Address>();
  const a = await startNode(1, addresses);
  const b = await startNode(2, addresses);
  a.transport.send(2, bytes("garbage"));
  await until(() => a.unreachable.includes(2), "the connection closes");
  await sendUntilReceived(a, 2, "good", b);
  a.close();
  b.close();
});

test("messages beyond the bound of a queue are dropped and reported once", async () => {
  const addresses = new Map<number, Address>();
  const a = await startNode(1, addresses);
  // The address is never resolved within the turn, so all of this waits.
  addresses.set(2, { host: "127.0.0.1", port: a.listener.address.port });
  const chunk = new Uint8Array(16 << 20);
  for (let i = 0; i < 8; i++) a.transport.send(2, chunk);
  assert.is(a.transport.load().dropped, 4);
  await until(() => a.unreachable.length >= 1, "the report");
  assert.is(a.unreachable[0], 2);
  a.close();
});

test("frames are cut alike however the bytes are split", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
      (messages, cuts) => {
        const whole = Buffer.concat(
          messages.map((message) => {
            const head = Buffer.alloc(4);
            head.writeUInt32BE(message.length);
            return Buffer.concat([head, message]);
          }),
        );
        const splitter = new FrameSplitter(100);
        const seen: string[] = [];
        let at = 0;
        for (let i = 0; at < whole.length; i++) {
          const end = Math.min(whole.length, at + (cuts[i % cuts.length] ?? 1));
          const failure = splitter.push(whole.subarray(at, end), (message) => {
            seen.push(Buffer.from(message).toString("hex"));
            return true;
          });
          assert.is(failure, undefined);
          at = end;
        }
        assert.equal(
          seen,
          messages.map((message) => Buffer.from(message).toString("hex")),
        );
      },
    ),
    { includeErrorInReport: true },
  );
});

test("a frame above the limit is damage", () => {
  const splitter = new FrameSplitter(100);
  const failure = splitter.push(Buffer.from("00000065", "hex"), () => true);
  assert.is(failure, "a frame of 101 bytes is too long");
});

test("the preamble has its documented bytes and is checked field by field", () => {
  const self: Self = { kind: "store", cluster: 0x0102030405060708n, id: 3 };
  const preamble = encodePreamble({ ...self, id: 4 }, 3);
  assert.is(
    preamble.toString("hex"),
    "525554494c457301010203040506070800000000000000040000000000000003",
  );
  assert.is(checkPreamble(preamble, self), 4);
  assert.match(String(checkPreamble(preamble, { ...self, kind: "placement" })), /store node/);
  assert.match(String(checkPreamble(preamble, { ...self, cluster: 1n })), /cluster/);
  assert.is(checkPreamble(preamble, { ...self, cluster: 0n }), 4);
  assert.match(String(checkPreamble(preamble, { ...self, id: 5 })), /looking for node 3/);
});

test("one port serves gRPC, HTTP/1.1 and the transport", async () => {
  const echo = await startEchoServer();
  const http = createHttpServer((_request, response) => response.end("over http"));
  const peers: string[] = [];
  const rejected: string[] = [];
  const listening = await listen(
    { host: "127.0.0.1", port: 0 },
    {
      http2: (socket) => echo.grpc.accept(socket),
      http1: (socket) => void http.emit("connection", socket),
      peer: (socket) => socket.on("data", (chunk: Buffer) => peers.push(chunk.toString("latin1"))),
      rejected: (reason) => void rejected.push(reason),
    },
  );
  if (!listening.ok) throw new Error(listening.detail);
  const { listener } = listening;
  const { address } = listener;
  const client = createGrpcClient(`127.0.0.1:${address.port}`);
  const { Unary } = ECHO_SERVICE.methods;
  assert.equal(await client.unary(Unary, "x"), { ok: true, response: "X" });
  const answer = await fetch(`http://127.0.0.1:${address.port}/`);
  assert.is(await answer.text(), "over http");

  const opened: Socket[] = [];
  const speak = async (pieces: readonly string[]): Promise<void> => {
    const socket = connect({ host: "127.0.0.1", port: address.port, noDelay: true });
    opened.push(socket);
    socket.on("error", () => undefined);
    for (const piece of pieces) {
      socket.write(piece, "latin1");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  // The first bytes may come one by one.
  await speak(["R", "U", "TILE", "rest"]);
  await until(() => peers.join("") === "RUTILErest", "the transport's bytes");
  await speak(["\x16\x03\x01\x00"]);
  await until(() => rejected.length === 1, "a rejection");
  assert.match(rejected[0] ?? "", /TLS/);

  for (const socket of opened) socket.destroy();
  client.close();
  listener.stop();
  http.closeAllConnections();
  await echo.close();
});

test("a port in use is said in one clear line", async () => {
  const first = await listen({ host: "127.0.0.1", port: 0 }, {});
  if (!first.ok) throw new Error(first.detail);
  const { port } = first.listener.address;
  const second = await listen({ host: "127.0.0.1", port }, {});
  assert.is(
    second.ok ? "" : second.detail,
    `cannot listen on 127.0.0.1:${port}: the port is in use`,
  );
  first.listener.stop();
});

test("nodes with certificates talk to each other, and not to one without", async () => {
  const certificates = await makeCertificates();
  const [ca, cert, key] = [certificates.ca, certificates.cert, certificates.key].map((path) =>
    readFileSync(path),
  ) as [Buffer, Buffer, Buffer];
  const tls = { ca, cert, key, allowedNames: [] };
  const addresses = new Map<number, Address>();
  const one = await startNode(1, addresses, { tls });
  const two = await startNode(2, addresses, { tls });
  const plain = await startNode(3, addresses);
  one.transport.send(2, Buffer.from("hello"));
  await until(() => two.received.length > 0, "the message");
  assert.equal(two.received, ["1:hello"]);
  plain.transport.send(2, Buffer.from("hello"));
  one.transport.send(3, Buffer.from("hello"));
  await until(() => one.unreachable.length > 0, "a plain node is reported");
  await until(() => plain.unreachable.length > 0, "an encrypted node is reported");
  assert.equal([two.received.length, plain.received.length], [1, 0]);
  for (const node of [one, two, plain]) node.close();
  certificates.remove();
});

test.run();
