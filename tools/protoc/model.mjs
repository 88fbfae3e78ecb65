/**
 * Reads `.proto` files into plain data: what the emitter needs to know and nothing of the parser.
 */
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import protobuf from "protobufjs";

/** Words that cannot name a local variable of the generated code, among them its own parameters. */
const TAKEN = new Set([
  "delete",
  "default",
  "case",
  "new",
  "in",
  "is",
  "package",
  "r",
  "w",
  "m",
  "end",
  "tag",
  "partial",
  "reader",
  "stop",
  "entryKey",
  "entryValue",
  "entryTag",
]);

/** All files of `folder`, by name, as { name, package, imports, messages, enums, services }. */
export function loadFiles(folder) {
  const root = new protobuf.Root();
  const parsed = readdirSync(folder)
    .filter((name) => name.endsWith(".proto") && name !== "rutile.proto")
    .sort()
    .map((name) => parseFile(root, join(folder, name)));
  root.resolveAll();
  const homes = new Map();
  for (const file of parsed) for (const type of typesOf(file.namespace)) homes.set(type, file.name);
  const files = parsed.map((file) => modelOf(file, homes));
  markRecursive(files);
  return files;
}

function parseFile(root, path) {
  const result = protobuf.parse(readFileSync(path, "utf8"), root, {
    keepCase: true,
    alternateCommentMode: true,
    preferTrailingComment: false,
  });
  const namespace = root.lookup(result.package);
  return { name: basename(path, ".proto"), package: result.package, namespace };
}

function typesOf(namespace) {
  return namespace.nestedArray.flatMap((child) => {
    if (child instanceof protobuf.Type) return [child, ...typesOf(child)];
    return child instanceof protobuf.Enum || child instanceof protobuf.Service ? [child] : [];
  });
}

function modelOf(file, homes) {
  const types = typesOf(file.namespace);
  const context = { homes, file };
  return {
    name: file.name,
    package: file.package,
    messages: types.filter((t) => t instanceof protobuf.Type).map((t) => messageOf(t, context)),
    enums: types.filter((t) => t instanceof protobuf.Enum).map((t) => enumOf(t)),
    services: types.filter((t) => t instanceof protobuf.Service).map((t) => serviceOf(t, context)),
  };
}

/** `BatchCommandsRequest.Request` is `BatchCommandsRequest_Request` in TypeScript. */
function typeName(type) {
  const parent = type.parent;
  return parent instanceof protobuf.Type ? `${typeName(parent)}_${type.name}` : type.name;
}

const fullName = (type) => type.fullName.replace(/^\./, "");

/** Where a type is and what it is called there; `module` is undefined in its own file. */
function reference(type, { homes, file }) {
  const home = homes.get(type);
  if (home === undefined) throw new Error(`${fullName(type)} is in none of the files`);
  return {
    module: home === file.name ? undefined : home,
    name: typeName(type),
    id: fullName(type),
  };
}

function enumOf(type) {
  const values = Object.entries(type.values).map(([name, number]) => ({
    name,
    number,
    comment: type.comments[name] ?? undefined,
  }));
  return { name: typeName(type), id: fullName(type), comment: type.comment ?? undefined, values };
}

function serviceOf(type, context) {
  const methods = type.methodsArray.map((method) => ({
    name: method.name,
    comment: method.comment ?? undefined,
    request: reference(method.resolvedRequestType, context),
    response: reference(method.resolvedResponseType, context),
    clientStreaming: method.requestStream === true,
    serverStreaming: method.responseStream === true,
  }));
  return { name: type.name, id: fullName(type), comment: type.comment ?? undefined, methods };
}

function messageOf(type, context) {
  const fields = type.fieldsArray
    .map((field) => fieldOf(field, context))
    .sort((a, b) => a.number - b.number);
  const oneofs = type.oneofsArray
    .filter((oneof) => !oneof.isProto3Optional)
    .map((oneof) => ({
      name: camelCase(oneof.name),
      comment: oneof.comment ?? undefined,
      members: fields.filter((field) => field.oneof === camelCase(oneof.name)),
    }));
  return {
    name: typeName(type),
    id: fullName(type),
    comment: type.comment ?? undefined,
    fields,
    oneofs,
    recursive: false,
  };
}

function fieldOf(field, context) {
  field.resolve();
  const name = camelCase(field.name);
  const oneof = field.partOf;
  return {
    name,
    local: TAKEN.has(name) ? `${name}_` : name,
    source: field.name,
    number: field.id,
    comment: field.comment ?? undefined,
    repeated: field.repeated,
    optional: oneof?.isProto3Optional === true,
    oneof: oneof && !oneof.isProto3Optional ? camelCase(oneof.name) : undefined,
    mapKey: field.map ? kindOf(field.keyType, undefined, field, context) : undefined,
    kind: kindOf(field.type, field.resolvedType, field, context),
  };
}

/** The scalar kind, or the message or enum it refers to. Options choose between the forms of a type. */
function kindOf(type, resolved, field, context) {
  if (resolved instanceof protobuf.Enum) return { type: "enum", of: reference(resolved, context) };
  if (resolved instanceof protobuf.Type)
    return { type: "message", of: reference(resolved, context) };
  const options = field.options ?? {};
  if (type === "bytes") return { type: options["(rutile.key)"] === true ? "key" : "bytes" };
  if (type === "uint64" || type === "int64") {
    const asNumber = options.jstype === "JS_NUMBER" || options["(rutile.number)"] === true;
    return { type: asNumber ? (type === "uint64" ? "safeUint64" : "safeInt64") : type };
  }
  if (!["uint32", "int32", "bool", "string", "double"].includes(type)) {
    throw new Error(`${field.fullName}: fields of type ${type} are not written yet`);
  }
  return { type };
}

/** `region_error` and `RegionError` are `regionError`; `TTL` is `ttl`. */
export function camelCase(name) {
  const [first, ...rest] = name.split("_").filter((part) => part !== "");
  const head = /^[A-Z0-9]+$/.test(first)
    ? first.toLowerCase()
    : first[0].toLowerCase() + first.slice(1);
  return head + rest.map((part) => part[0].toUpperCase() + part.slice(1)).join("");
}

/** Marks the messages that can, through their fields, hold themselves. */
function markRecursive(files) {
  const messages = new Map(files.flatMap((file) => file.messages.map((m) => [m.id, m])));
  const reaches = (from, goal, seen) =>
    from.fields.some(({ kind }) => {
      if (kind.type !== "message") return false;
      if (kind.of.id === goal) return true;
      if (seen.has(kind.of.id)) return false;
      seen.add(kind.of.id);
      return reaches(messages.get(kind.of.id), goal, seen);
    });
  for (const message of messages.values()) {
    message.recursive = reaches(message, message.id, new Set());
  }
}
