/** When two failures are the same one. */
import type { Summary } from "../cli/summary.ts";

export type Failure = Pick<Summary, "check" | "text">;

/** Checks whose words tell apart what is wrong: the others always say the same with other data. */
const TOLD_APART: readonly string[] = ["assertions", "convergence", "recovery", "answers"];

/** The check; with its words, but for names and numbers, where it stands for many things. */
export function signatureOf({ check, text }: Failure): string {
  if (!TOLD_APART.includes(check)) return check;
  const [first = ""] = text.split("\n");
  return `${check}: ${first.replace(/"[^"]*"/g, '""').replace(/[0-9]+/g, "#")}`;
}
