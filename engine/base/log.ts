/** A line for the node's structured log, as an effect. */
export interface LogEffect {
  readonly type: "log";
  readonly level: "debug" | "info" | "warn" | "error";
  /** A constant sentence. */
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}
