/** What the nodes of a world are called, in stories and in names of decisions. */
import type { World } from "./model.ts";

/** Of the node with this number in the network; the last one is the auditor. */
export function nameOf(
  { servers, clients }: Pick<World, "servers" | "clients">,
  node: number,
): string {
  return servers[node]?.name ?? clients[node - servers.length]?.name ?? "auditor";
}
