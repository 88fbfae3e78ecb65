/** Network addresses as people write them: `host:port`, `[::1]:port`, and those with a scheme. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Undefined where `text` is no `host:port`, with or without a scheme. Port 0 is any free port. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:https?:\/\/)?(?:\[([0-9a-fA-F:]+)\]|([^:/?#\s[\]]+)):(\d{1,5})\/?$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2] ?? "";
  const port = Number(match[3]);
  return port > 65535 ? undefined : { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether somebody elsewhere could reach it: `0.0.0.0` and `::` are only for listening. */
export const isUnspecified = ({ host }: Address): boolean =>
  host === "0.0.0.0" || /^[0:]+$/.test(host);
