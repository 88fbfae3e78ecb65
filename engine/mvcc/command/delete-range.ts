/**
 * Deleting a range outright, without versions: for data that nobody can read any more.
 */
import { EMPTY_KEY } from "../../base/bytes.ts";
import { type DeleteRangeRequest, DeleteRangeResponse } from "../../protocol/gen/kvrpcpb.ts";
import { Draft } from "../draft.ts";
import { type Evaluation, NOTHING } from "../evaluation.ts";
import { encodeEnd, encodeKey } from "../keys.ts";
import { type KeyRange, within } from "./scan.ts";

/** The range of encoded keys that `request` names. */
export const rangeOfDeleteRange = (request: DeleteRangeRequest): KeyRange => ({
  start: request.startKey === EMPTY_KEY ? EMPTY_KEY : encodeKey(request.startKey),
  end: encodeEnd(request.endKey),
});

/** Nothing is read. `notify_only` is for replicas that keep data of their own. */
export function deleteRange(
  request: DeleteRangeRequest,
  bounds: KeyRange,
): Evaluation<DeleteRangeResponse> {
  const { start, end } = within(rangeOfDeleteRange(request), bounds);
  const draft = new Draft();
  const isEmpty = end !== EMPTY_KEY && start >= end;
  if (!request.notifyOnly && !isEmpty) draft.deleteRange(start, end);
  return {
    operations: draft.operations,
    response: DeleteRangeResponse.make(),
    released: NOTHING,
    memoryLocks: NOTHING,
    blockedBy: undefined,
    damage: undefined,
  };
}
