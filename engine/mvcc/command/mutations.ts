/**
 * The mutations of a prewrite or of a flush, translated.
 */
import { type Timestamp, Timestamp as timestamp } from "../../base/timestamp.ts";
import {
  type Mutation,
  Op,
  OpName,
  PrewriteRequest_PessimisticAction,
} from "../../protocol/gen/kvrpcpb.ts";
import { encodeKey } from "../keys.ts";
import type { KeyMutation, MutationType } from "../key/mutation.ts";
import { type Outcome, done, refused } from "../outcome.ts";

const TYPES: ReadonlyMap<Op, MutationType> = new Map([
  [Op.Put, "put"],
  [Op.Del, "delete"],
  [Op.Lock, "lock"],
  [Op.Insert, "insert"],
  [Op.CheckNotExists, "check_not_exists"],
]);

/** By position among the mutations of a pessimistic transaction. */
export interface PessimisticChecks {
  readonly actions: readonly PrewriteRequest_PessimisticAction[];
  readonly constraints: readonly { readonly index: number; readonly expectedForUpdateTs: bigint }[];
}

export const NO_CHECKS: PessimisticChecks = { actions: [], constraints: [] };

/** Refused where a mutation is none that can be prewritten. Keeps the values. */
export function mutationsOf(
  mutations: readonly Mutation[],
  checks: PessimisticChecks,
): Outcome<readonly KeyMutation[]> {
  const expected = new Map<number, Timestamp>();
  for (const { index, expectedForUpdateTs } of checks.constraints) {
    if (index >= mutations.length) {
      const detail = `a constraint on mutation ${index} of ${mutations.length}`;
      return refused({ type: "invalid_request", detail });
    }
    expected.set(index, timestamp(expectedForUpdateTs));
  }
  const translated: KeyMutation[] = [];
  for (const [i, { op, key: user, value, assertion }] of mutations.entries()) {
    const type = TYPES.get(op);
    if (type === undefined) {
      return refused({ type: "invalid_request", detail: `${OpName(op)} cannot be prewritten` });
    }
    translated.push({
      type,
      user,
      key: encodeKey(user),
      value,
      assertion,
      action: checks.actions[i] ?? PrewriteRequest_PessimisticAction.SKIP_PESSIMISTIC_CHECK,
      expectedForUpdateTs: expected.get(i),
    });
  }
  return done(translated);
}
