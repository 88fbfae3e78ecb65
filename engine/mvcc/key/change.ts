/**
 * Where the last change of a key is, for the records that will not change it.
 */
import { NO_CHANGE, type LastChange } from "../record/last-change.ts";
import { isChange } from "../record/write.ts";
import type { Version, Versions } from "../read/versions.ts";

/** The last change at or before `newest`, the newest of `versions`. */
export function lastChangeOf(versions: Versions, newest: Version | undefined): LastChange {
  let version = newest;
  for (let steps = 1; version !== undefined; steps++) {
    const { commitTs, write } = version;
    if (isChange(write)) return { type: "at", commitTs, versions: steps };
    const further = write.lastChange;
    if (further.type === "none") return NO_CHANGE;
    if (further.type === "at") return { ...further, versions: further.versions + steps };
    version = steps === 1 ? versions.before(version) : versions.older();
  }
  return NO_CHANGE;
}
