/**
 * A node of the playground as a process of its own. It is in a process group of its own, so that a
 * Ctrl-C in the terminal reaches the playground alone, and has a channel to the playground, so that
 * it ends when the playground is gone, however that came.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const CLI = fileURLToPath(new URL("../cli.js", import.meta.url));
/** A node that takes longer to stop is ended. */
const STOP_WITHIN_MS = 8000;

export interface NodeProcess {
  readonly name: string;
  /** Whether it has taken its ports. Whoever else answers there is not it. */
  listening(): boolean;
  /** Set once it has ended; a sentence that says how. */
  ended(): string | undefined;
  /** True where it ended by itself with status 0. */
  stop(): Promise<boolean>;
}

export function startNode(
  name: string,
  args: readonly string[],
  onEnd: (node: NodeProcess) => void,
): NodeProcess {
  const child = spawn(process.execPath, [CLI, ...args], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  let end: { readonly sentence: string; readonly clean: boolean } | undefined;
  child.stderr
    ?.setEncoding("utf8")
    .on("data", (text: string) => (said = (said + text).slice(-2000)));
  let listening = false;
  child.once("message", () => (listening = true));
  const closed = new Promise<boolean>((resolve) => {
    child.once("close", (status, signal) => {
      const detail = said.trim().replace(/^error: /, "");
      const sentence = detail === "" ? `it ended with ${signal ?? `status ${status}`}` : detail;
      end = { sentence, clean: status === 0 };
      onEnd(node);
      resolve(status === 0);
    });
  });
  const node: NodeProcess = {
    name,
    listening: () => listening,
    ended: () => end?.sentence,
    async stop() {
      if (end !== undefined) return end.clean;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
      const clean = await closed;
      clearTimeout(timer);
      return clean;
    },
  };
  return node;
}
