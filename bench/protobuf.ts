/**
 * Protobuf: what a server pays to decode a `BatchCommandsRequest` of 64 raw puts and to encode the
 * answer, with our generated codecs, with protobufjs (which compiles its codecs from the same
 * files, as its static output does) and with @bufbuild/protobuf. All see the same bytes in the same
 * run.
 */
import { createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { keyFromBytes } from "../engine/base/bytes.ts";
import { Context, RawPutRequest, RawPutResponse } from "../engine/protocol/gen/kvrpcpb.ts";
import { Peer, RegionEpoch } from "../engine/protocol/gen/metapb.ts";
import { BatchCommandsRequest, BatchCommandsResponse } from "../engine/protocol/gen/tikvpb.ts";
import { createWriter } from "../engine/protocol/writer.ts";
import { measure, printTable } from "./measure.ts";
import type { Contestant } from "./measure.ts";

export const name = "protobuf";
export const summary = "decode a batch of 64 raw puts and encode its answer, beside two libraries";

const COMMANDS = 64;
/** Batches a round. */
const BATCHES = 1500;

/** One implementation: both halves of a server's work on a batch. */
interface Contender {
  readonly name: string;
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly encode: () => Uint8Array;
}

export const options = {
  rounds: { type: "string", default: "9", argument: "N", help: "rounds that count" },
} as const;

export function run(args: readonly string[]): void {
  const { values } = parseArgs({ args: [...args], options });
  const request = BatchCommandsRequest.encode(exampleRequest());
  const response = BatchCommandsResponse.encode(exampleResponse());
  const contenders = [ours(), ...libraries(response)];
  for (const contender of contenders) check(contender, request, response);
  const figures = measure(
    [...contenders.flatMap((contender) => halves(contender, request)), keptWriter()],
    Number(values.rounds),
    2,
  );
  const cost = contenders.map((_, i) => figures[2 * i]!.cpuUs + figures[2 * i + 1]!.cpuUs);
  console.log(
    `${COMMANDS} raw puts: ${request.length} bytes; the answer: ${response.length} bytes`,
  );
  printTable(
    ["CPU microseconds", "decode", "encode", "per command", "times ours"],
    contenders.map(({ name }, i) => [
      name,
      figures[2 * i]!.cpuUs.toFixed(1),
      figures[2 * i + 1]!.cpuUs.toFixed(1),
      (cost[i]! / COMMANDS).toFixed(2),
      (cost[i]! / cost[0]!).toFixed(1),
    ]),
  );
  console.log(`rutile, encoding into a writer that is kept: ${figures.at(-1)!.cpuUs.toFixed(1)}`);
}

function halves({ name, decode, encode }: Contender, request: Uint8Array): Contestant[] {
  return [
    { name: `${name} decode`, prepare: () => () => repeat(() => decode(request)) },
    { name: `${name} encode`, prepare: () => () => repeat(encode) },
  ];
}

function repeat(work: () => unknown): { operations: number; result: unknown } {
  let result: unknown;
  for (let i = 0; i < BATCHES; i++) result = work();
  return { operations: BATCHES, result };
}

function ours(): Contender {
  const response = exampleResponse();
  return {
    name: "rutile",
    decode: (bytes) => BatchCommandsRequest.decode(bytes),
    encode: () => BatchCommandsResponse.encode(response),
  };
}

/** As a server may do it: one writer for reply after reply. */
function keptWriter(): Contestant {
  const response = exampleResponse();
  const writer = createWriter(65_536);
  const write = (): void => {
    writer.size = 0;
    BatchCommandsResponse.write(writer, response);
  };
  return { name: "kept writer", prepare: () => () => repeat(write) };
}

/** protobufjs and bufbuild, both from our files. */
function libraries(response: Uint8Array): Contender[] {
  const root = new protobuf.Root();
  const folder = fileURLToPath(new URL("../../engine/protocol/proto/", import.meta.url));
  root.resolvePath = (_origin, target) => (target === "rutile.proto" ? null : folder + target);
  root.loadSync("tikvpb.proto", { keepCase: true }).resolveAll();
  const request = root.lookupType("tikvpb.BatchCommandsRequest");
  const answer = root.lookupType("tikvpb.BatchCommandsResponse");
  const message = answer.decode(response);

  const registry = createFileRegistry(
    fromBinary(
      FileDescriptorSetSchema,
      descriptor.FileDescriptorSet.encode(fileSet(root)).finish(),
    ),
  );
  const schema = (type: string): DescMessage => {
    const found = registry.getMessage(type);
    if (found === undefined) throw new Error(`${type} is not in the registry`);
    return found;
  };
  const bufRequest = schema("tikvpb.BatchCommandsRequest");
  const bufAnswer = schema("tikvpb.BatchCommandsResponse");
  const bufMessage = fromBinary(bufAnswer, response);
  return [
    {
      name: "protobufjs",
      decode: (bytes) => request.decode(bytes),
      encode: () => answer.encode(message).finish(),
    },
    {
      name: "@bufbuild/protobuf",
      decode: (bytes) => fromBinary(bufRequest, bytes),
      encode: () => toBinary(bufAnswer, bufMessage),
    },
  ];
}

interface MessageDescriptor {
  readonly name: string;
  readonly field: { name: string; typeName?: string }[];
  readonly nestedType?: MessageDescriptor[];
}

interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  readonly messageType: MessageDescriptor[];
  dependency: string[];
  service: unknown[];
}

/**
 * The files as descriptors. protobufjs leaves three things to its caller: full names of types,
 * which file imports which, and an order in which imports come first.
 */
function fileSet(root: protobuf.Root): protobuf.Message {
  const set = root.toDescriptor("proto3") as unknown as { file: FileDescriptor[] };
  const ordered: FileDescriptor[] = [];
  const place = (file: FileDescriptor): void => {
    if (ordered.includes(file)) return;
    for (const message of file.messageType) nameTypes(root, file.package, message);
    const named = JSON.stringify(file.messageType);
    const imports = set.file.filter((f) => f !== file && named.includes(`".${f.package}.`));
    for (const other of imports) place(other);
    file.dependency = imports.map((other) => other.name);
    file.service = [];
    ordered.push(file);
  };
  for (const file of set.file) place(file);
  set.file = ordered;
  return set as unknown as protobuf.Message;
}

function nameTypes(root: protobuf.Root, parent: string, message: MessageDescriptor): void {
  const path = `${parent}.${message.name}`;
  const { fields } = root.lookupType(path);
  for (const field of message.field) {
    const type = fields[field.name]?.resolvedType;
    if (type) field.typeName = type.fullName;
  }
  for (const nested of message.nestedType ?? []) nameTypes(root, path, nested);
}

/** What the Go client sends for 64 puts of 16-byte keys and 128-byte values. */
function exampleRequest(): BatchCommandsRequest {
  const requests = Array.from({ length: COMMANDS }, (_, i) => ({
    cmd: {
      case: "rawPut" as const,
      value: RawPutRequest.make({
        context: Context.make({
          regionId: 1000 + (i % 8),
          regionEpoch: RegionEpoch.make({ confVer: 5, version: 61 }),
          peer: Peer.make({ id: 2000 + i, storeId: 4 }),
          maxExecutionDurationMs: 20_000,
          requestSource: "external_RawPut",
          keyspace: { case: "keyspaceId", value: 0xffff_ffff },
          clusterId: 7_300_000_000_000_000_123n,
        }),
        key: keyFromBytes(Uint8Array.from({ length: 16 }, (_, j) => (i * 31 + j * 7) & 0xff)),
        value: new Uint8Array(128).fill(i),
      }),
    },
  }));
  const requestIds = requests.map((_, i) => 1_000_000 + i);
  return BatchCommandsRequest.make({ requests, requestIds });
}

function exampleResponse(): BatchCommandsResponse {
  const responses = Array.from({ length: COMMANDS }, () => ({
    cmd: { case: "rawPut" as const, value: RawPutResponse.make() },
  }));
  const requestIds = responses.map((_, i) => 1_000_000 + i);
  return BatchCommandsResponse.make({ responses, requestIds, transportLayerLoad: 37 });
}

/** A contender that reads or writes something else is not in the race. */
function check(
  { name, decode, encode }: Contender,
  request: Uint8Array,
  response: Uint8Array,
): void {
  const { requests } =
    (decode(request) as { value?: { requests: unknown[] } }).value ??
    (decode(request) as { requests: unknown[] });
  if (requests.length !== COMMANDS) throw new Error(`${name} lost commands`);
  if (Buffer.compare(encode(), response) !== 0) throw new Error(`${name} encodes other bytes`);
}
