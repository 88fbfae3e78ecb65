/** What an operation of the client ends with if it does not end well. */

/** In which way an operation failed. What to do about it follows from this, not from a message. */
export type FailureReason =
  /** Time or attempts ran out; the operation was certainly not carried out, or only read. */
  | "timeout"
  /** It may have been carried out, and may still be: nobody can say. */
  | "undetermined"
  /** By the caller's signal. */
  | "cancelled"
  /** The cluster understood the request and will not do it; trying again is of no use. */
  | "refused"
  /** Another transaction has changed what this one rests on. It has not happened: do it again. */
  | "conflict"
  /** It waits for others that wait for it. It has not happened: do it again. */
  | "deadlock"
  /** A key that was to be inserted is there already. The transaction has not happened. */
  | "exists"
  /** The client was used in a way that it does not offer. */
  | "misuse";

/** The one class of errors that operations reject with. */
export class ClientError extends Error {
  /** For programs; the message is for people. */
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string) {
    super(message);
    this.name = "ClientError";
    this.reason = reason;
  }
}
