/**
 * Commit: the second phase. All keys of the request become visible at one timestamp. A transaction
 * that has committed in one phase, unknown to its client, is told when that was.
 */
import type { Key } from "../../base/bytes.ts";
import { Timestamp } from "../../base/timestamp.ts";
import { type CommitRequest, CommitResponse } from "../../protocol/gen/kvrpcpb.ts";
import type { KvView } from "../../storage/view.ts";
import { type Evaluation, evaluate } from "../evaluation.ts";
import { commitKey } from "../key/commit.ts";
import { encodeKey } from "../keys.ts";
import { done, refused } from "../outcome.ts";
import { checkCommitTs, checkTimestamps } from "./request.ts";
import { REFUSE } from "./refuse.ts";

export const keysOfCommit = (request: CommitRequest): readonly Key[] => request.keys.map(encodeKey);

export const commit = (view: KvView, request: CommitRequest): Evaluation<CommitResponse> =>
  evaluate(view, REFUSE.KvCommit, (work) => {
    const { startVersion, commitVersion, keys } = request;
    const bad =
      checkTimestamps({ start_version: startVersion }) ??
      checkCommitTs(startVersion, commitVersion);
    if (bad !== undefined) return refused(bad);
    let commitTs = Timestamp(commitVersion);
    for (const key of keys) {
      const outcome = commitKey(work, key, Timestamp(startVersion), commitTs);
      if (!outcome.ok) return outcome;
      commitTs = outcome.value;
    }
    return done(CommitResponse.make({ commitVersion: commitTs }));
  });
