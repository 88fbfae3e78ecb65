/**
 * The node's log in TiKV's format: `[time] [LEVEL] [message] [key=value] ...`, one line an event.
 * A message or value that is not a plain word is quoted as JSON, so a line is always one line.
 */
import { closeSync, openSync, writeSync } from "node:fs";

export type Level = "debug" | "info" | "warn" | "error";

export type Fields = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

export interface Logger {
  /** `message` is a constant sentence; what varies goes into `fields`. */
  readonly log: (level: Level, message: string, fields?: Fields) => void;
  readonly close: () => void;
}

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** A logger that drops everything, for tests. */
export const SILENT: Logger = { log: () => undefined, close: () => undefined };

/**
 * Logs events of at least `level` to `file`, or to standard error without one. Lines are written at
 * once: the last one before a crash is the one that matters.
 */
export function openLog(level: Level, file: string | undefined): Logger {
  const fd = file === undefined ? 2 : openSync(file, "a");
  return {
    log(at, message, fields) {
      if (RANK[at] < RANK[level]) return;
      writeLine(fd, formatLine(new Date(), at, message, fields));
    },
    close() {
      if (file !== undefined) closeSync(fd);
    },
  };
}

/** A log that cannot be written (a full disk, a closed pipe) stops nobody. */
function writeLine(fd: number, line: string): void {
  try {
    writeSync(fd, line);
  } catch {
    // There is nowhere left to say it.
  }
}

export function formatLine(time: Date, level: Level, message: string, fields?: Fields): string {
  let line = `[${formatTime(time)}] [${level.toUpperCase()}] [${quoted(message)}]`;
  for (const [key, value] of Object.entries(fields ?? {})) {
    if (value !== undefined) line += ` [${quoted(key)}=${quoted(String(value))}]`;
  }
  return `${line}\n`;
}

/** Local time with its offset: `2026/01/31 13:05:09.123 +01:00`. */
function formatTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const offset = -time.getTimezoneOffset();
  const sign = offset < 0 ? "-" : "+";
  const date = `${time.getFullYear()}/${two(time.getMonth() + 1)}/${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  const zone = `${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${date} ${clock}.${ms} ${zone}`;
}

/** As it is where it is a plain word, else as JSON text. */
function quoted(text: string): string {
  return /^[^\s"=[\]\\\p{C}]+$/u.test(text) ? text : JSON.stringify(text);
}
