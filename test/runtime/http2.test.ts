/** HTTP/2 as a client could speak it that is careless, unusual or hostile. */
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import * as frames from "../../runtime/http2/frames.ts";
import { encodeHeaders } from "../../runtime/http2/hpack.ts";
import { suite } from "../harness.ts";
import { startEchoServer } from "./echo-service.ts";
import { RawConnection, REQUEST, SETTINGS, headersFrame, messageFrame } from "./raw-http2.ts";

const test = suite("runtime/http2 session");

async function withConnection(body: (connection: RawConnection) => Promise<void>): Promise<void> {
  const server = await startEchoServer();
  const connection = new RawConnection(server.address);
  try {
    await body(connection);
  } finally {
    connection.close();
    await server.close();
  }
}

const call = (stream: number, text: string): Buffer =>
  Buffer.concat([headersFrame(stream), messageFrame(stream, text)]);
const windowFrame = (stream: number, by: number): Buffer =>
  frames.frameOf(frames.WINDOW_UPDATE, 0, stream, frames.words(by));
const initialWindow = (bytes: number): Buffer =>
  frames.frameOf(
    frames.SETTINGS,
    0,
    0,
    frames.settingsPayload([[frames.INITIAL_WINDOW_SIZE, bytes]]),
  );

/** What ends a connection, and with which code. */
const FAULTS: readonly (readonly [title: string, code: number, bytes: () => Buffer])[] = [
  [
    "a first frame that is not SETTINGS",
    frames.PROTOCOL_ERROR,
    () => Buffer.concat([frames.PREFACE, headersFrame(1)]),
  ],
  [
    "a frame longer than was agreed",
    frames.FRAME_SIZE_ERROR,
    () => opened(frames.frameOf(frames.DATA, 0, 1, Buffer.alloc(20_000))),
  ],
  [
    "a header block that another frame interrupts",
    frames.PROTOCOL_ERROR,
    () => opened(frames.frameOf(frames.HEADERS, 0, 1, encodeHeaders(REQUEST)), SETTINGS),
  ],
  [
    "CONTINUATION of nothing",
    frames.PROTOCOL_ERROR,
    () => opened(frames.frameOf(frames.CONTINUATION, frames.END_HEADERS, 1, Buffer.alloc(0))),
  ],
  [
    "a header block without end",
    frames.ENHANCE_YOUR_CALM,
    () => {
      const more = frames.frameOf(frames.CONTINUATION, 0, 1, Buffer.alloc(0));
      const first = frames.frameOf(frames.HEADERS, 0, 1, Buffer.alloc(0));
      return opened(first, ...Array.from({ length: 10_000 }, () => more));
    },
  ],
  [
    "headers that are no HPACK",
    frames.COMPRESSION_ERROR,
    () => opened(frames.frameOf(frames.HEADERS, frames.END_HEADERS, 1, Buffer.from([0xff]))),
  ],
  ["a stream of the server's numbers", frames.PROTOCOL_ERROR, () => opened(headersFrame(2))],
  ["data of a stream that never was", frames.PROTOCOL_ERROR, () => opened(messageFrame(7, "a"))],
  [
    "a reset of a stream that never was",
    frames.PROTOCOL_ERROR,
    () => opened(frames.frameOf(frames.RST_STREAM, 0, 7, frames.words(0))),
  ],
  [
    "padding longer than its frame",
    frames.PROTOCOL_ERROR,
    () => opened(frames.frameOf(frames.HEADERS, frames.PADDED, 1, Buffer.from([9, 1, 2]))),
  ],
  ["a window update by nothing", frames.PROTOCOL_ERROR, () => opened(windowFrame(0, 0))],
  [
    "a window beyond 2^31 - 1",
    frames.FLOW_CONTROL_ERROR,
    () => opened(windowFrame(0, frames.MAX_WINDOW)),
  ],
  [
    "a ping that is not eight bytes",
    frames.FRAME_SIZE_ERROR,
    () => opened(frames.frameOf(frames.PING, 0, 0, Buffer.alloc(7))),
  ],
  [
    "a flood of resets",
    frames.ENHANCE_YOUR_CALM,
    () => {
      const parts: Buffer[] = [];
      for (let stream = 1; stream < 50_000; stream += 2) {
        parts.push(frames.frameOf(frames.RST_STREAM, 0, 1, frames.words(8)));
      }
      return opened(headersFrame(1), ...parts);
    },
  ],
];

const opened = (...parts: readonly Buffer[]): Buffer =>
  Buffer.concat([frames.PREFACE, SETTINGS, ...parts]);

for (const [title, code, bytes] of FAULTS) {
  test(`${title} ends the connection with the code of that fault`, () =>
    withConnection(async (connection) => {
      connection.send(bytes());
      assert.is(await connection.goaway(), code);
    }));
}

test("bytes that come one at a time mean what they mean together", () =>
  withConnection(async (connection) => {
    for (const byte of opened(call(1, "slow"))) {
      connection.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await connection.answer(1), { text: "SLOW", status: "0" });
  }));

test("a header block may come in pieces, with priority and padding", () =>
  withConnection(async (connection) => {
    const block = encodeHeaders(REQUEST);
    const head = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 16]), block.subarray(0, 9)]);
    const flags = frames.PADDED | frames.HAS_PRIORITY;
    connection.open(
      frames.frameOf(frames.HEADERS, flags, 1, Buffer.concat([head, Buffer.alloc(2)])),
      frames.frameOf(frames.CONTINUATION, 0, 1, block.subarray(9, 12)),
      frames.frameOf(frames.CONTINUATION, frames.END_HEADERS, 1, block.subarray(12)),
      messageFrame(1, "pieces"),
    );
    assert.equal(await connection.answer(1), { text: "PIECES", status: "0" });
  }));

test("padding of data is no data", () =>
  withConnection(async (connection) => {
    const message = messageFrame(1, "padded").subarray(frames.FRAME_HEADER_BYTES);
    const payload = Buffer.concat([Buffer.from([3]), message, Buffer.alloc(3)]);
    const flags = frames.PADDED | frames.END_STREAM;
    connection.open(headersFrame(1), frames.frameOf(frames.DATA, flags, 1, payload));
    assert.equal(await connection.answer(1), { text: "PADDED", status: "0" });
  }));

test("an answer waits for the windows of its stream and of the connection", () =>
  withConnection(async (connection) => {
    connection.open(initialWindow(0), call(1, "waits"));
    connection.send(frames.frameOf(frames.PING, 0, 0, Buffer.alloc(8)));
    await connection.until(({ type, flags }) => type === frames.PING && flags === frames.ACK);
    assert.not(connection.received.some(({ type }) => type === frames.DATA));
    connection.send(windowFrame(1, 3));
    const first = await connection.until(({ type }) => type === frames.DATA);
    assert.is(first.payload.length, 3);
    connection.send(initialWindow(100));
    const rest = await connection.until(({ type }) => type === frames.DATA);
    assert.is(rest.payload.toString("latin1"), "\0\u0005WAITS");
    assert.is((await connection.answer(1)).status, "0");
  }));

test("what the connection's window holds back follows when it opens", () =>
  withConnection(async (connection) => {
    const large = "x".repeat(60_000);
    connection.open(initialWindow(1 << 20));
    for (const stream of [1, 3]) {
      connection.send(headersFrame(stream));
      const bytes = messageFrame(stream, large).subarray(frames.FRAME_HEADER_BYTES);
      for (let at = 0; at < bytes.length; at += 16_000) {
        const last = at + 16_000 >= bytes.length ? frames.END_STREAM : 0;
        connection.send(frames.frameOf(frames.DATA, last, stream, bytes.subarray(at, at + 16_000)));
      }
    }
    assert.is((await connection.answer(1)).text.length, large.length);
    connection.send(frames.frameOf(frames.PING, 0, 0, Buffer.alloc(8)));
    await connection.until(({ type, flags }) => type === frames.PING && flags === frames.ACK);
    connection.send(windowFrame(0, 60_000));
    assert.equal((await connection.answer(3)).status, "0");
  }));

test("data that is taken gives its windows back", () =>
  withConnection(async (connection) => {
    connection.open(headersFrame(1, { ...REQUEST, ":path": "/test.Echo/Collect" }));
    const message = Buffer.alloc(16_000);
    message.writeUInt32BE(message.length - 5, 1);
    for (let count = 0; count < 40; count += 1) {
      connection.send(frames.frameOf(frames.DATA, 0, 1, message));
    }
    const update = await connection.until(
      ({ type, stream }) => type === frames.WINDOW_UPDATE && stream === 1,
    );
    assert.ok(update.payload.readUInt32BE(0) >= 500_000);
  }));

test("a header name in capitals fails its stream and no other", () =>
  withConnection(async (connection) => {
    connection.open(headersFrame(1, { ...REQUEST, Bad: "1" }), call(3, "good"));
    const reset = await connection.until(({ stream }) => stream === 1);
    assert.is(reset.type, frames.RST_STREAM);
    assert.equal(await connection.answer(3), { text: "GOOD", status: "0" });
  }));

test("what comes late for a stream that has ended is ignored", () =>
  withConnection(async (connection) => {
    connection.open(call(1, "one"));
    assert.is((await connection.answer(1)).text, "ONE");
    connection.send(
      messageFrame(1, "late"),
      windowFrame(1, 10),
      frames.frameOf(frames.RST_STREAM, 0, 1, frames.words(8)),
      call(3, "two"),
    );
    assert.is((await connection.answer(3)).text, "TWO");
  }));

test("unknown frames and settings are ignored, and a ping is answered with its bytes", () =>
  withConnection(async (connection) => {
    const ping = Buffer.from("12345678");
    connection.open(
      frames.frameOf(0xb7, 0xff, 0, Buffer.from("?")),
      frames.frameOf(frames.SETTINGS, 0, 0, frames.settingsPayload([[0x99, 1]])),
      frames.frameOf(frames.PING, 0, 0, ping),
      call(1, "after"),
    );
    const pong = await connection.until(({ type }) => type === frames.PING);
    assert.is(pong.flags, frames.ACK);
    assert.is(pong.payload.toString(), ping.toString());
    assert.is((await connection.answer(1)).text, "AFTER");
  }));

test("no bytes behind the preface harm the server", async () => {
  const server = await startEchoServer();
  try {
    const anyFrame = fc
      .tuple(
        fc.integer({ min: 0, max: 11 }),
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 0, max: 9 }),
        fc.uint8Array({ maxLength: 40 }),
      )
      .map(([type, flags, stream, payload]) => frames.frameOf(type, flags, stream, payload));
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { maxLength: 20 }), async (parts) => {
        const hostile = new RawConnection(server.address);
        hostile.open(...parts);
        const sane = new RawConnection(server.address);
        sane.open(call(1, "sane"));
        assert.is((await sane.answer(1)).text, "SANE");
        hostile.close();
        sane.close();
      }),
      { includeErrorInReport: true, numRuns: 100 },
    );
  } finally {
    await server.close();
  }
});

test.run();
