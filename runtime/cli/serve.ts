/** Running one node as the process's only work: its log, its signals, its exit status. */
import { openLog } from "../log.ts";
import type { Level, Logger } from "../log.ts";
import type { Failed, Started } from "../node/node.ts";
import { RUTILE_VERSION } from "../version.ts";

/** What the shell is told of a node that could not start or could not go on. */
const FAILED_STATUS = 1;
export const USAGE_STATUS = 2;

/** Ends the process because of how it was called. */
export function refuseUsage(detail: string): never {
  process.stderr.write(`error: ${detail}\n`);
  process.exit(USAGE_STATUS);
}

export interface LogSettings {
  readonly logLevel: Level;
  readonly logFile: string | undefined;
}

export async function serve(
  name: string,
  { logLevel, logFile }: LogSettings,
  start: (logger: Logger, failed: Failed) => Promise<Started>,
): Promise<void> {
  const logger = openLogOrEnd(logLevel, logFile);
  const end = (status: number): never => {
    logger.close();
    return process.exit(status);
  };
  const fail = (reason: string): never => {
    logger.log("error", `${name} stops`, { reason });
    // With a log file the operator's terminal would otherwise stay silent.
    if (logFile !== undefined) process.stderr.write(`error: ${reason}\n`);
    return end(FAILED_STATUS);
  };
  process.on("uncaughtException", (error) => fail(error.stack ?? error.message));
  process.on("unhandledRejection", (reason) => fail(String(reason)));
  logger.log("info", `${name} starts`, { version: RUTILE_VERSION, pid: process.pid });
  const started = await start(logger, fail);
  if (!started.ok) return fail(started.detail);

  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // A second signal does not wait for what is under way.
    if (stopping) end(FAILED_STATUS);
    stopping = true;
    logger.log("info", `${name} is asked to stop`, { signal });
    void started.node.stop().then(() => end(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // Somebody who started this node with a channel waits for it to listen, and once they are gone
  // has no use for it any more.
  process.send?.("listening");
  process.on("disconnect", () => stop("SIGTERM"));
  return undefined;
}

function openLogOrEnd(level: Level, file: string | undefined): Logger {
  try {
    return openLog(level, file);
  } catch (error) {
    process.stderr.write(`error: cannot open the log file: ${(error as Error).message}\n`);
    return process.exit(FAILED_STATUS);
  }
}
