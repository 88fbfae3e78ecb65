/**
 * The calls that a machine was asked and has not answered yet, by ticket. It upholds that each
 * answer finds the one who asked, or nobody where they have gone.
 */
import { Ticket, nextTicket } from "../../engine/base/ids.ts";

/** Who waits for the answer to one call. */
export interface Waiter {
  answered(response: unknown): void;
  refused(code: number, message: string): void;
}

/**
 * A machine's way in. The call's types belong to the machine; the service tables guarantee them.
 */
export interface Asker {
  readonly request: (ticket: Ticket, method: string, request: unknown) => void;
  readonly cancelled: (ticket: Ticket) => void;
}

export class Requests {
  readonly #asker: Asker;
  readonly #waiting = new Map<Ticket, Waiter>();
  #last = Ticket(0);

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  get size(): number {
    return this.#waiting.size;
  }

  ask(method: string, request: unknown, waiter: Waiter): Ticket {
    this.#last = nextTicket(this.#last);
    this.#waiting.set(this.#last, waiter);
    this.#asker.request(this.#last, method, request);
    return this.#last;
  }

  answer(ticket: Ticket, response: unknown): void {
    this.#take(ticket)?.answered(response);
  }

  refuse(ticket: Ticket, code: number, message: string): void {
    this.#take(ticket)?.refused(code, message);
  }

  /** Nobody waits for `ticket` any more. */
  cancel(ticket: Ticket): void {
    if (this.#take(ticket) !== undefined) this.#asker.cancelled(ticket);
  }

  #take(ticket: Ticket): Waiter | undefined {
    const waiter = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    return waiter;
  }
}
