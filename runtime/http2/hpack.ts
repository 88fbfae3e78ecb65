/**
 * Header compression of HTTP/2 (RFC 7541). The decoder has the whole of it, with its table; the
 * encoder uses none, so that what it makes are constants: a block is the same bytes on every
 * stream.
 */
import { decodeHuffman } from "./huffman.ts";

/** Appendix A of the RFC; the first has index 1. */
const STATIC: readonly (readonly [name: string, value: string])[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
];
/** What an entry costs beside its name and value (section 4.1). */
const ENTRY_OVERHEAD_BYTES = 32;

const MAX_KNOWN_NAMES = 64;

/** Header fields by lower-case name; a name that came twice has both values, joined by commas. */
export type Headers = Readonly<Record<string, string>>;

export type DecodedHeaders =
  | { readonly ok: true; readonly headers: Headers }
  /** The block is no HPACK: the connection cannot go on, as its table is lost. */
  | { readonly ok: false; readonly broken: "compression"; readonly reason: string }
  /** The block is well coded, but no valid header list: only its stream fails. */
  | { readonly ok: false; readonly broken: "message"; readonly reason: string };

/** Bytes that are no HPACK. Never leaves this file. */
class Undecodable extends Error {}

/** Decodes the header blocks of one connection, in order: each may change the table. */
export class HeaderDecoder {
  readonly #maxTableBytes: number;
  readonly #maxListBytes: number;
  #limitBytes: number;
  #tableBytes = 0;
  /** The table, newest last; entries before `#oldest` are gone. */
  #names: string[] = [];
  #values: string[] = [];
  /** Names of this connection that were found to be well formed: the same few come every time. */
  readonly #known = new Set<string>();
  #oldest = 0;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** `maxTableBytes` is what this side announced; a list longer than `maxListBytes` is refused. */
  constructor(maxTableBytes: number, maxListBytes: number) {
    this.#maxTableBytes = maxTableBytes;
    this.#limitBytes = maxTableBytes;
    this.#maxListBytes = maxListBytes;
  }

  decode(block: Buffer): DecodedHeaders {
    this.#block = block;
    this.#at = 0;
    try {
      return this.#list();
    } catch (error) {
      if (error instanceof Undecodable)
        return { ok: false, broken: "compression", reason: error.message };
      throw error;
    }
  }

  #list(): DecodedHeaders {
    const headers: Record<string, string> = Object.create(null) as Record<string, string>;
    let bytes = 0;
    let regular = false;
    let invalid: string | undefined;
    while (this.#at < this.#block.length) {
      const first = this.#block[this.#at]!;
      let name: string;
      let value: string;
      if (first >= 0x80) {
        const index = this.#integer(7);
        name = this.#name(index);
        value = this.#value(index);
      } else if (first >= 0x20 && first < 0x40) {
        if (bytes > 0) throw new Undecodable("a table size update behind a field");
        this.#resize(this.#integer(5));
        continue;
      } else {
        const indexed = first >= 0x40;
        const index = this.#integer(indexed ? 6 : 4);
        name = index === 0 ? this.#string() : this.#name(index);
        value = this.#string();
        if (indexed) this.#insert(name, value);
      }
      bytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
      if (bytes > this.#maxListBytes) {
        // The rest must still be decoded: it may change the table.
        invalid ??= `the headers have more than ${this.#maxListBytes} bytes`;
        continue;
      }
      const pseudo = name.startsWith(":");
      const known = headers[name];
      if ((pseudo && (regular || known !== undefined)) || !this.#isName(name)) {
        invalid ??= `the header ${JSON.stringify(name)} is malformed or out of place`;
      }
      regular ||= !pseudo;
      headers[name] = known === undefined ? value : `${known}, ${value}`;
    }
    if (invalid !== undefined) return { ok: false, broken: "message", reason: invalid };
    return { ok: true, headers };
  }

  #isName(name: string): boolean {
    if (this.#known.has(name)) return true;
    if (!isName(name)) return false;
    if (this.#known.size < MAX_KNOWN_NAMES) this.#known.add(name);
    return true;
  }

  /** An integer with a prefix of `bits` bits (section 5.1). */
  #integer(bits: number): number {
    const mask = (1 << bits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Undecodable("an integer is too large");
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new Undecodable("the block ends within a field");
    this.#at += 1;
    return byte;
  }

  #string(): string {
    const huffman = (this.#block[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#block.length) throw new Undecodable("the block ends within a string");
    this.#at = end;
    if (!huffman) return this.#block.toString("latin1", start, end);
    const text = decodeHuffman(this.#block, start, end);
    if (text === undefined) throw new Undecodable("a string is no Huffman code");
    return text;
  }

  #name(index: number): string {
    const fixed = STATIC[index - 1];
    if (fixed !== undefined) return fixed[0];
    return this.#names[this.#entry(index)]!;
  }

  #value(index: number): string {
    const fixed = STATIC[index - 1];
    if (fixed !== undefined) return fixed[1];
    return this.#values[this.#entry(index)]!;
  }

  /** Where the entry of a table index stands; index 62 is the newest. */
  #entry(index: number): number {
    const at = this.#names.length - (index - STATIC.length);
    if (index === 0 || at < this.#oldest) throw new Undecodable(`the table has no entry ${index}`);
    return at;
  }

  #insert(name: string, value: string): void {
    this.#tableBytes += name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#names.push(name);
    this.#values.push(value);
    this.#evict();
  }

  #resize(limitBytes: number): void {
    if (limitBytes > this.#maxTableBytes) throw new Undecodable("the table is set too large");
    this.#limitBytes = limitBytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#limitBytes) {
      const [name, value] = [this.#names[this.#oldest]!, this.#values[this.#oldest]!];
      this.#tableBytes -= name.length + value.length + ENTRY_OVERHEAD_BYTES;
      this.#oldest += 1;
    }
    // Evicted entries stay in the arrays for a while, so that each costs a constant time.
    if (this.#oldest > 512) {
      this.#names = this.#names.slice(this.#oldest);
      this.#values = this.#values.slice(this.#oldest);
      this.#oldest = 0;
    }
  }
}

/**
 * Lower case, and of the characters that a field name may have; pseudo-headers begin with a colon.
 */
function isName(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at);
    const letter = code >= 0x61 && code <= 0x7a;
    const digit = code >= 0x30 && code <= 0x39;
    const other = code === 0x2d || code === 0x5f || code === 0x2e || (at === 0 && code === 0x3a);
    if (!letter && !digit && !other && !"!#$%&'*+^`|~".includes(name[at]!)) return false;
  }
  return name.length > 0;
}

/**
 * The block of these fields: whole pairs of the static table by index, all else as literals that no
 * table remembers. Names and values are one-byte text.
 */
export function encodeHeaders(fields: Headers): Buffer {
  const parts: number[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const whole = STATIC.findIndex((entry) => entry[0] === name && entry[1] === value);
    if (whole >= 0) {
      parts.push(0x80 | (whole + 1));
      continue;
    }
    const named = STATIC.findIndex((entry) => entry[0] === name);
    pushInteger(parts, 4, named + 1);
    if (named < 0) pushString(parts, name);
    pushString(parts, value);
  }
  return Buffer.from(parts);
}

function pushInteger(parts: number[], bits: number, value: number): void {
  const mask = (1 << bits) - 1;
  if (value < mask) {
    parts.push(value);
    return;
  }
  parts.push(mask);
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) parts.push((rest & 0x7f) | 0x80);
  parts.push(rest);
}

function pushString(parts: number[], text: string): void {
  pushInteger(parts, 7, text.length);
  for (let at = 0; at < text.length; at += 1) parts.push(text.charCodeAt(at) & 0xff);
}
