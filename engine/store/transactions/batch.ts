/** What the transactional writes of one region come to in one step: one entry of its log. */
import type { PendingPart } from "../../region/replica.ts";
import type { KvOperation } from "../../storage/types.ts";

export interface Batch {
  /** Of the region when the writes were evaluated. */
  readonly version: number;
  readonly operations: KvOperation[];
  readonly parts: PendingPart[];
}
