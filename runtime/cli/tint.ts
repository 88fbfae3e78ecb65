/**
 * Colour for what the commands say. It is put on where the text leaves for a terminal: what is said
 * is the same text everywhere.
 */
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

const TINTS: readonly (readonly [what: RegExp, style: Style])[] = [
  [/^PASS\b/gm, ["bold", "green"]],
  [/^FAIL\b/gm, ["bold", "red"]],
  [/^.* is violated at .*$/gm, "red"],
  [/^violated: .*$/gm, "red"],
  [/^excused: .*$/gm, "yellow"],
  [/^replay: /gm, "dim"],
  // Roles in the debugger's tables.
  [/(?<=^(?:region \d+ +\d+|members) +)leader\b/gm, "green"],
  [/(?<=^(?:region \d+ +\d+|members) +)(?:pre_)?candidate\b/gm, "yellow"],
  [/^ *\d+\.\d{3,6}s(?: #\d+)?(?= )/gm, "dim"],
];

/** Whether a stream's reader wants colours: a terminal, unless NO_COLOR is set (no-color.org). */
export const wantsColour = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && (process.env["NO_COLOR"] ?? "") === "";

/** `text` in a style, whoever reads it: `wantsColour` has been asked. */
export const painted = (style: Style, text: string): string =>
  styleText(style, text, { validateStream: false });

/** `text` in colours: verdicts, violations, roles and times. Nothing is added but them. */
export function tinted(text: string): string {
  return TINTS.reduce(
    (done, [what, style]) => done.replaceAll(what, (found) => painted(style, found)),
    text,
  );
}
