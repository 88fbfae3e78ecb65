/**
 * TLS between nodes and with clients, as TiKV and PD have it: one certificate that a node shows to
 * everybody, and one authority that has to vouch for everybody else, clients too.
 */
import { connect as connectTcp, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import type { Address } from "./address.ts";

/** What a node is on the network; all in PEM. */
export interface NodeTls {
  /** Of those who vouch for others. */
  readonly ca: Buffer;
  /** This node's, and those that lead from it to the authority. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Common names of certificates that are let in; empty: all that are vouched for. */
  readonly allowedNames: readonly string[];
}

/** For a connection that this node makes to a server, be it another node. */
export function clientTls({ ca, cert, key }: NodeTls): Omit<NodeTls, "allowedNames"> {
  return { ca, cert, key };
}

/** A connection to another node, and the event by which it can be written to. */
export function connectTo(
  address: Address,
  tls: NodeTls | undefined,
): { readonly socket: Socket; readonly ready: "connect" | "secureConnect" } {
  const to = { ...address, noDelay: true, keepAlive: true };
  if (tls === undefined) return { socket: connectTcp(to), ready: "connect" };
  // No server name is sent for an address, but the certificate must be the address's.
  const name = isIP(address.host) === 0 ? { servername: address.host } : {};
  const socket = connectTls({ ...to, ...clientTls(tls), ...name });
  return { socket, ready: "secureConnect" };
}

/** Why the certificate that the other side has shown does not let it in, if so. */
export function unwelcome(socket: TLSSocket, { allowedNames }: NodeTls): string | undefined {
  if (allowedNames.length === 0) return undefined;
  const { subject } = socket.getPeerCertificate();
  const name: unknown = subject?.CN;
  if (typeof name === "string" && allowedNames.includes(name)) return undefined;
  return `the name of the client's certificate, ${String(name)}, is not allowed`;
}
