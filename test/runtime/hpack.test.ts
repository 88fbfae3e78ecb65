/** Header compression against the examples of RFC 7541 and what its text forbids. */
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { HeaderDecoder, encodeHeaders } from "../../runtime/http2/hpack.ts";
import type { DecodedHeaders, Headers } from "../../runtime/http2/hpack.ts";
import { decodeHuffman } from "../../runtime/http2/huffman.ts";
import { suite } from "../harness.ts";

const test = suite("runtime/http2 hpack");

const decoder = (tableBytes = 4096, listBytes = 1 << 16): HeaderDecoder =>
  new HeaderDecoder(tableBytes, listBytes);
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const fieldsOf = (decoded: DecodedHeaders): [string, string][] =>
  decoded.ok ? Object.entries(decoded.headers) : [];

test("RFC 7541 C.3: requests without Huffman code", () => {
  const requests = decoder();
  const blocks = [
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
  ];
  const lists = blocks.map((block) => fieldsOf(requests.decode(bytes(block))));
  assert.equal(lists[0]?.at(-1), [":authority", "www.example.com"]);
  assert.equal(lists[1]?.slice(-2), [
    [":authority", "www.example.com"],
    ["cache-control", "no-cache"],
  ]);
  assert.equal(lists[2], [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    [":authority", "www.example.com"],
    ["custom-key", "custom-value"],
  ]);
});

test("RFC 7541 C.4: requests with Huffman code", () => {
  const requests = decoder();
  requests.decode(bytes("828684418cf1e3c2e5f23a6ba0ab90f4ff"));
  requests.decode(bytes("828684be5886a8eb10649cbf"));
  const last = requests.decode(bytes("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"));
  assert.equal(fieldsOf(last).at(-1), ["custom-key", "custom-value"]);
});

test("RFC 7541 C.6: responses with a table of 256 bytes, whose entries are evicted", () => {
  const responses = decoder(256);
  responses.decode(
    bytes(
      "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
    ),
  );
  assert.equal(fieldsOf(responses.decode(bytes("4883640effc1c0bf"))), [
    [":status", "307"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["location", "https://www.example.com"],
  ]);
  // ":status: 302" has made room for the second status.
  assert.is(responses.decode(bytes("c2")).ok, false);
});

test("what is encoded is decoded, and leaves no trace in the table", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  const value = fc.stringMatching(/^[\x20-\x7e]{0,300}$/);
  const same = decoder();
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 10 }), (fields: Headers) => {
      const decoded = same.decode(encodeHeaders(fields));
      assert.equal(fieldsOf(decoded), Object.entries(fields));
      assert.is(same.decode(Buffer.from([0xbe])).ok, false);
    }),
    { includeErrorInReport: true },
  );
});

test("no bytes make the decoder throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
      const any = decoder();
      for (const block of blocks) any.decode(Buffer.from(block));
    }),
    { includeErrorInReport: true },
  );
});

test("a Huffman code may be padded with ones, fewer than eight, and with nothing else", () => {
  const decode = (text: string): string | undefined =>
    decodeHuffman(bytes(text), 0, text.length / 2);
  assert.is(decode("1f"), "a");
  assert.is(decode("18"), undefined);
  assert.is(decode("1fff"), undefined);
  assert.is(decode("ffffffff"), undefined);
});

test("what has no index, is too large or ends too early is no HPACK", () => {
  for (const block of ["80", "be", "ffffffffffff0f", "4005616263", "3fe2ff03", "400161"]) {
    const decoded = decoder().decode(bytes(block));
    assert.is(!decoded.ok && decoded.broken, "compression", block);
  }
});

test("a list that is well coded but wrong fails alone, and the table goes on", () => {
  const wrong = decoder(4096, 100);
  const named = (name: string, value: string): Buffer =>
    Buffer.from([0x40, name.length, ...Buffer.from(name), value.length, ...Buffer.from(value)]);
  for (const block of [
    named("Capital", "1"),
    Buffer.concat([named("regular", "1"), Buffer.from([0x83])]),
    Buffer.concat([Buffer.from([0x83]), Buffer.from([0x82])]),
    named("long", "x".repeat(100)),
  ]) {
    const decoded = wrong.decode(block);
    assert.is(!decoded.ok && decoded.broken, "message");
  }
  assert.is(fieldsOf(wrong.decode(Buffer.from([0xbf])))[0]?.[0], "regular");
});

test("a name that comes twice has both values", () => {
  const twice = Buffer.concat([encodeHeaders({ key: "one" }), encodeHeaders({ key: "two" })]);
  assert.equal(fieldsOf(decoder().decode(twice)), [["key", "one, two"]]);
});

test.run();
