/**
 * Calls of the services beside the driver's own, as far as clients need them to start: the one
 * keyspace that every cluster has, and a metadata store that holds nothing.
 */
import {
  KeyspaceMeta,
  KeyspaceState,
  LoadKeyspaceResponse,
} from "../../protocol/gen/keyspacepb.ts";
import type {
  GetAllKeyspacesRequest,
  LoadKeyspaceByIDRequest,
} from "../../protocol/gen/keyspacepb.ts";
import { ErrorType } from "../../protocol/gen/pdpb.ts";
import { header, reply } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { Catalog } from "../catalog/catalog.ts";

const DEFAULT_NAME = "DEFAULT";
const DEFAULT_ID = 0;

const defaultKeyspace = (): KeyspaceMeta =>
  KeyspaceMeta.make({
    keyspace: { case: "id", value: DEFAULT_ID },
    name: DEFAULT_NAME,
    state: KeyspaceState.ENABLED,
  });

export const loadKeyspace = (catalog: Catalog, name: string): Answer =>
  loaded(catalog, "LoadKeyspace", name === DEFAULT_NAME, `keyspace ${JSON.stringify(name)}`);

export function loadKeyspaceById(catalog: Catalog, request: LoadKeyspaceByIDRequest): Answer {
  const { keyspace } = request;
  const id = keyspace?.case === "id" ? keyspace.value : undefined;
  return loaded(catalog, "LoadKeyspaceByID", id === DEFAULT_ID, `keyspace ${id ?? "by identity"}`);
}

function loaded(
  catalog: Catalog,
  method: "LoadKeyspace" | "LoadKeyspaceByID",
  exists: boolean,
  what: string,
): Answer {
  if (exists) return reply(method, { header: header(catalog), keyspace: defaultKeyspace() });
  const error = { type: ErrorType.ENTRY_NOT_FOUND, message: `${what} does not exist` };
  const response = LoadKeyspaceResponse.make({ header: { ...header(catalog), error } });
  return reply(method, response);
}

export function getAllKeyspaces(catalog: Catalog, request: GetAllKeyspacesRequest): Answer {
  const start = request.startKeyspace;
  const first = start?.case === "startId" ? start.value : DEFAULT_ID;
  const keyspaces = first <= DEFAULT_ID ? [defaultKeyspace()] : [];
  return reply("GetAllKeyspaces", { header: header(catalog), keyspaces });
}

/** Clients look for service registrations here and take "nothing" for an answer. */
export const metaStorageGet = (catalog: Catalog): Answer =>
  reply("Get", {
    header: { clusterId: catalog.clusterId ?? 0n, error: undefined, revision: 1 },
    kvs: [],
    more: false,
    count: 0,
  });
