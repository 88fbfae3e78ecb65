/**
 * What a benchmark can be told, declared once: `parseArgs` of Node reads it, and `--help` prints
 * it.
 */

/** One option as `parseArgs` takes it, with what it does. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
  readonly default?: string | boolean | readonly string[];
  /** What stands behind it in the help, where it takes a value. */
  readonly argument?: string;
  /** What it says, in less than a line. */
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

/** How `parseArgs` begins the code of what it throws at an unknown or malformed option. */
const BAD_ARGUMENT = "ERR_PARSE_ARGS";

/** One line an option, `--help` last. */
export function describeOptions(options: Options): string {
  const rows = Object.entries(options).map(([option, { argument, help, default: value }]) => {
    const usage = argument === undefined ? `--${option}` : `--${option} ${argument}`;
    const isSaid = value === undefined || value === "" || value === false;
    return [usage, isSaid ? help : `${help} (${String(value)})`] as const;
  });
  const all = [...rows, ["--help", "this text"] as const];
  const width = Math.max(...all.map(([usage]) => usage.length));
  return all.map(([usage, help]) => `  ${usage.padEnd(width)}  ${help}`).join("\n");
}

/** Throws as `parseArgs` does, so that a bad value ends like an unknown option. */
export function refuseOption(message: string): never {
  throw Object.assign(new Error(message), { code: `${BAD_ARGUMENT}_INVALID_OPTION_VALUE` });
}

/** The number that `text` says of `option`. */
export function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  return refuseOption(`--${option} ${text}: not a positive number`);
}

/** One line that says what is wrong with the options; undefined for an error of another kind. */
export function optionProblem(error: unknown): string | undefined {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code !== "string" || !code.startsWith(BAD_ARGUMENT)) return undefined;
  // Node goes on to explain how one would pass a file of that name.
  const [first = ""] = String(message).split(/\n|\. To specify/);
  return first;
}
