/** What became of a transaction whose commit has failed, or of which no word came. */
import type { Key } from "../base/bytes.ts";
import { type Timestamp, Timestamp as toTimestamp, ZERO_TIMESTAMP } from "../base/timestamp.ts";
import { BatchRollbackRequest, CheckTxnStatusRequest } from "../protocol/gen/kvrpcpb.ts";
import { Backoff } from "./backoff.ts";
import { type Cluster, REPEATABLE } from "./cluster.ts";
import { ClientError, type FailureReason } from "./errors.ts";

/** How long the placement driver is asked what may have been collected. */
const SAFE_POINT_WITHIN_MS = 5000;
/** How long a commit that has failed takes at most to be forbidden for good. */
const REVOKED_WITHIN_MS = 3000;

/** Ends of a call that say nothing of what an earlier one has done. */
const UNTOLD: ReadonlySet<FailureReason> = new Set(["timeout", "cancelled", "refused"]);

export class Verdict {
  readonly #cluster: Cluster;
  readonly #startTs: Timestamp;
  readonly #primary: Key;

  /** Of the transaction with this start timestamp and primary. */
  constructor(cluster: Cluster, startTs: Timestamp, primary: Key) {
    this.#cluster = cluster;
    this.#startTs = startTs;
    this.#primary = primary;
  }

  /**
   * When the transaction was committed, in spite of `error`; throws where it was not, or where that
   * is not known. Each of its calls may have done it all, once it is lost or held up on its way:
   *
   * - A store that denies the commit knows, unless a call was lost whose records may have been
   *   collected since.
   * - One that refuses a call, as it does not lead the region, has not looked. Whatever comes
   *   behind the record of a rollback is kept out, so that decides.
   */
  async of(backoff: Backoff, error: unknown): Promise<Timestamp> {
    if (!(error instanceof ClientError)) throw error;
    const isDenied = !UNTOLD.has(error.reason);
    if (isDenied && !(backoff.uncertain && (await this.#mayBeForgotten()))) throw error;
    if (!isDenied && !backoff.reached) throw error;
    const isOpen = isDenied || backoff.uncertain || error.reason === "cancelled";
    const committedAt = isOpen ? undefined : await this.#revoke();
    if (committedAt === undefined) {
      throw new ClientError("undetermined", "no store said whether the transaction committed");
    }
    if (committedAt === ZERO_TIMESTAMP) throw error;
    return committedAt;
  }

  /** 0 where the primary is rolled back for good, else when it was committed, if that is known. */
  async #revoke(): Promise<Timestamp | undefined> {
    const [primary, startTs] = [this.#primary, this.#startTs];
    const backoff = new Backoff(this.#cluster.ports, REVOKED_WITHIN_MS, undefined);
    try {
      const { error } = await this.#cluster.send(backoff, primary, REPEATABLE, (context) => ({
        method: "KvBatchRollback",
        request: BatchRollbackRequest.make({ context, startVersion: startTs, keys: [primary] }),
      }));
      if (error === undefined) return ZERO_TIMESTAMP;
      const committedAt = await this.committedAt(backoff);
      return committedAt > 0n ? committedAt : undefined;
    } catch (problem) {
      if (problem instanceof ClientError) return undefined;
      throw problem;
    }
  }

  async #mayBeForgotten(): Promise<boolean> {
    const { placement, ports } = this.#cluster;
    try {
      const backoff = new Backoff(ports, SAFE_POINT_WITHIN_MS, undefined);
      const { transaction } = await placement.safePoints(backoff);
      return this.#startTs <= transaction;
    } catch (error) {
      if (error instanceof ClientError) return true;
      throw error;
    }
  }

  /** When the primary was committed; 0 where it is not. Asks so that nothing changes. */
  async committedAt(backoff: Backoff): Promise<Timestamp> {
    const [primary, startTs] = [this.#primary, this.#startTs];
    const { commitVersion } = await this.#cluster.send(backoff, primary, REPEATABLE, (context) => ({
      method: "KvCheckTxnStatus",
      request: CheckTxnStatusRequest.make({ context, primaryKey: primary, lockTs: startTs }),
    }));
    return toTimestamp(commitVersion);
  }
}
