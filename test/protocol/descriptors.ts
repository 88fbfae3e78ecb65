/**
 * Every message of `engine/protocol/proto` twice: our codec, and the same type in protobufjs, which
 * reads the files at run time and shares nothing with ours but them. And arbitrary values for both.
 */
import fc from "fast-check";
import type { Arbitrary } from "fast-check";
import protobuf from "protobufjs";
import type { MessageCodec } from "../../engine/protocol/codec.ts";
import * as apipb from "../../engine/protocol/gen/apipb.ts";
import * as coprocessor from "../../engine/protocol/gen/coprocessor.ts";
import * as deadlock from "../../engine/protocol/gen/deadlock.ts";
import * as errorpb from "../../engine/protocol/gen/errorpb.ts";
import * as etcdserverpb from "../../engine/protocol/gen/etcdserverpb.ts";
import * as health from "../../engine/protocol/gen/health.ts";
import * as keyspacepb from "../../engine/protocol/gen/keyspacepb.ts";
import * as kvrpcpb from "../../engine/protocol/gen/kvrpcpb.ts";
import * as metaStorage from "../../engine/protocol/gen/meta_storagepb.ts";
import * as metapb from "../../engine/protocol/gen/metapb.ts";
import * as mvccpb from "../../engine/protocol/gen/mvccpb.ts";
import * as pdpb from "../../engine/protocol/gen/pdpb.ts";
import * as replication from "../../engine/protocol/gen/replication_modepb.ts";
import * as tikvpb from "../../engine/protocol/gen/tikvpb.ts";

/** The generator's folder, seen from `dist/test/protocol/`. */
export const GENERATOR: URL = new URL("../../../tools/protoc/", import.meta.url);

interface Kind {
  readonly type: string;
  readonly of?: { readonly id: string };
}
interface Field {
  readonly name: string;
  /** As in the file. */
  readonly source: string;
  readonly repeated: boolean;
  readonly optional: boolean;
  readonly oneof?: string;
  readonly mapKey?: Kind;
  readonly kind: Kind;
}
interface Message {
  readonly id: string;
  readonly fields: readonly Field[];
  readonly oneofs: readonly { readonly name: string; readonly members: readonly Field[] }[];
}
type Value = Readonly<Record<string, unknown>>;

const { loadFiles } = (await import(new URL("model.mjs", GENERATOR).href)) as {
  readonly loadFiles: (
    folder: string,
  ) => { readonly name: string; readonly messages: readonly Message[] }[];
};
const { PROTO_FOLDER } = (await import(new URL("generate.mjs", GENERATOR).href)) as {
  PROTO_FOLDER: string;
};

const files = loadFiles(PROTO_FOLDER);
const messages = new Map(files.flatMap((file) => file.messages.map((m) => [m.id, m] as const)));
const codecs = new Map(
  [
    apipb,
    coprocessor,
    deadlock,
    errorpb,
    etcdserverpb,
    health,
    keyspacepb,
    kvrpcpb,
    metaStorage,
    metapb,
    mvccpb,
    pdpb,
    replication,
    tikvpb,
  ]
    .flatMap((module) => Object.values(module) as unknown[])
    .filter((x): x is MessageCodec<Value> => typeof x === "object" && x !== null && "decode" in x)
    .map((codec) => [codec.name, codec] as const),
);

const root = new protobuf.Root();
// Our options change nothing on the wire, so the peer need not know them.
root.resolvePath = (_origin, target) => (target === "rutile.proto" ? null : PROTO_FOLDER + target);
root.loadSync(
  files.map((file) => `${file.name}.proto`),
  { keepCase: true },
);

/** The names of all messages. */
export const messageNames: readonly string[] = [...messages.keys()];

export function codecOf(name: string): MessageCodec<Value> {
  const codec = codecs.get(name);
  if (codec === undefined) throw new Error(`${name} has no codec`);
  return codec;
}

/** What protobufjs makes of `value`: its bytes. */
export function encodeByPeer(name: string, value: Value): Uint8Array {
  const type = root.lookupType(name);
  return type.encode(type.fromObject(plainOf(messageOf(name), value))).finish();
}

/** What protobufjs reads in `bytes`, in a form that `peerForm` gives too. */
export function decodeByPeer(name: string, bytes: Uint8Array): unknown {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: String, bytes: Array, defaults: true });
}

/** `value` as protobufjs shows it. */
export function peerForm(name: string, value: Value): unknown {
  const type = root.lookupType(name);
  const message = type.fromObject(plainOf(messageOf(name), value));
  return type.toObject(message, { longs: String, bytes: Array, defaults: true });
}

function messageOf(name: string): Message {
  const message = messages.get(name);
  if (message === undefined) throw new Error(`no message ${name}`);
  return message;
}

/** Arbitrary values of the message, with nested messages up to `depth`. */
export function anyMessage(name: string, depth: number = 3): Arbitrary<Value> {
  const message = messageOf(name);
  const codec = codecOf(name);
  const properties: Record<string, Arbitrary<unknown>> = {};
  for (const field of message.fields) {
    if (field.oneof === undefined) properties[field.name] = anyField(field, depth);
  }
  for (const { name: oneof, members } of message.oneofs) {
    const cases = members
      .filter((member) => depth > 0 || member.kind.of === undefined)
      .map((member) =>
        anyOf(member.kind, depth - 1).map((value) => ({ case: member.name, value })),
      );
    properties[oneof] = fc.oneof(fc.constant(undefined), ...cases);
  }
  return fc.record(properties).map((fields) => codec.make(fields));
}

function anyField(field: Field, depth: number): Arbitrary<unknown> {
  const { kind, mapKey } = field;
  if (depth <= 0 && kind.type === "message") {
    return fc.constant(mapKey ? new Map() : field.repeated ? [] : undefined);
  }
  const one = anyOf(kind, depth - 1);
  if (mapKey !== undefined) {
    return fc
      .array(fc.tuple(anyOf(mapKey, 0), one), { maxLength: 3 })
      .map((entries) => new Map(entries));
  }
  if (field.repeated) return fc.array(one, { maxLength: 3 });
  return kind.type === "message" || field.optional ? fc.option(one, { nil: undefined }) : one;
}

const anyInt32 = fc.oneof(
  fc.constantFrom(0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)),
  fc.integer(),
);
const anyUint64 = fc.oneof(
  fc.constantFrom(0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);
const anyBytes = fc.uint8Array({ maxLength: 40 });

function anyOf(kind: Kind, depth: number): Arbitrary<unknown> {
  switch (kind.type) {
    case "message":
      return anyMessage(kind.of!.id, depth);
    case "enum":
    case "int32":
      return anyInt32;
    case "uint32":
      return anyInt32.map((value) => value >>> 0);
    case "safeUint64":
      return fc.oneof(fc.constantFrom(0, 127, 128, 2 ** 32, 2 ** 53 - 1), fc.maxSafeNat());
    case "safeInt64":
      return fc.oneof(
        fc.constantFrom(0, -1, 2 ** 32, 2 ** 53 - 1, 1 - 2 ** 53),
        fc.maxSafeInteger(),
      );
    case "uint64":
      return anyUint64;
    case "int64":
      return anyUint64.map((value) => BigInt.asIntN(64, value));
    case "bool":
      return fc.boolean();
    case "double":
      return fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value));
    case "string":
      return fc.string({ unit: "grapheme", maxLength: 12 });
    case "bytes":
      return anyBytes;
    case "key":
      return anyBytes.map((bytes) => String.fromCharCode(...bytes));
    default:
      throw new Error(`no values for ${kind.type}`);
  }
}

/** `value` as the plain object that protobufjs wants. */
function plainOf(message: Message, value: Value): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const field of message.fields) {
    const held =
      field.oneof === undefined ? value[field.name] : memberOf(value[field.oneof], field);
    if (held !== undefined) plain[field.source] = plainField(field, held);
  }
  return plain;
}

function memberOf(oneof: unknown, field: Field): unknown {
  const held = oneof as { readonly case: string; readonly value: unknown } | undefined;
  return held?.case === field.name ? held.value : undefined;
}

function plainField({ kind, mapKey, repeated }: Field, value: unknown): unknown {
  if (mapKey !== undefined) {
    const entries = [...(value as ReadonlyMap<unknown, unknown>)];
    return Object.fromEntries(entries.map(([k, v]) => [String(k), plainValue(kind, v)]));
  }
  if (repeated) return (value as readonly unknown[]).map((each) => plainValue(kind, each));
  return plainValue(kind, value);
}

function plainValue(kind: Kind, value: unknown): unknown {
  switch (kind.type) {
    case "message":
      return plainOf(messageOf(kind.of!.id), value as Value);
    case "key":
      return Uint8Array.from(value as string, (character) => character.charCodeAt(0));
    case "uint64":
    case "int64":
    case "safeUint64":
    case "safeInt64":
      return String(value);
    default:
      return value;
  }
}
