/**
 * What comes out of a read.
 */
import type { KeyError } from "../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../storage/view.ts";
import type { Outcome } from "./outcome.ts";
import { MvccReader, type RecordDamage } from "./read/reader.ts";
import { keyErrorOf } from "./refusal.ts";

export interface Answer<Response> {
  /** Its values are views of what is stored. */
  readonly response: Response;
  /** The record that kept the read from being answered; the response says so too. */
  readonly damage: RecordDamage | undefined;
}

/** Reads from `view`. `refuse` makes the answer that tells the client of an error. */
export function answer<Response>(
  view: KvView,
  refuse: (error: KeyError) => Response,
  read: (reader: MvccReader) => Outcome<Response>,
): Answer<Response> {
  const reader = new MvccReader(view);
  const outcome = read(reader);
  const { damage } = reader;
  if (damage !== undefined) {
    return { response: refuse(keyErrorOf({ type: "damaged", damage })), damage };
  }
  const response = outcome.ok ? outcome.value : refuse(keyErrorOf(outcome.refusal));
  return { response, damage: undefined };
}
