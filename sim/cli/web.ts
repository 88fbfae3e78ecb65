/** `sim web`: the playground, served or written. */
import { formatNumber } from "./table.ts";
import type { Host } from "./host.ts";

/** Where it is served if nothing else is said. */
const PORT = 8765;
const FLAGS = ["--port", "--out"];

/** Served on a port, 0 for any, or written to a file. */
export interface WebCommand {
  readonly type: "web";
  readonly port: number;
  readonly out: string | undefined;
}

/** What the arguments behind `web` mean; what is wrong with them where they mean nothing. */
export function parseWeb(
  words: readonly string[],
  flags: ReadonlyMap<string, string>,
): WebCommand | string {
  const [extra] = words;
  if (extra !== undefined) return `unexpected argument "${extra}"`;
  const other = [...flags.keys()].find((flag) => !FLAGS.includes(flag));
  if (other !== undefined) return `flag ${other} does not go with web`;
  if (flags.size > 1) return "flags --port and --out do not go together";
  const text = flags.get("--port") ?? String(PORT);
  const port = /^(0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Infinity;
  if (port > 65_535) return `malformed port "${text}": from 0 to 65535`;
  return { type: "web", port, out: flags.get("--out") };
}

/** Serves the playground until somebody stops it, or writes it. */
export async function runWeb({ port, out }: WebCommand, host: Host): Promise<number> {
  if (out !== undefined) {
    const written = host.writeWeb(out);
    if (written.ok) host.write(`playground: ${out}, ${formatNumber(written.bytes)} bytes\n`);
    else host.writeError(`sim: cannot write ${out}: ${written.problem}\n`);
    return written.ok ? 0 : 1;
  }
  const problem = await host.serveWeb(port, (address) => {
    host.write(`playground: ${address} (Ctrl-C stops it)\n`);
  });
  if (problem !== undefined) host.writeError(`sim: cannot serve the playground: ${problem}\n`);
  return problem === undefined ? 0 : 1;
}
