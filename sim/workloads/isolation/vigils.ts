/** An errand that lasts many times as long as its locks would live by themselves. */
import type { Mode } from "../library.ts";
import { between, chance, pick } from "../../random.ts";
import { nameIn, noteUse } from "./desk.ts";
import { read, record, write, type Writer } from "./scribe.ts";

/** Locks live so long unless somebody prolongs them. */
const SHORT_TTLS_MS: readonly number[] = [300, 1000];
/** Between two accesses, which may be as far apart as a user's clicks. */
const THOUGHT_MS = { least: 200, most: 4000 };

/**
 * A pessimistic transaction that locks a few keys, one after another, and thinks long in between.
 * Others want the same keys, and would clear its locks away if they ran out.
 */
export function runVigil(writer: Writer, { options }: Mode): Promise<void> {
  const { desk, random, ports } = writer;
  const lockTtlMs = pick(random, SHORT_TTLS_MS);
  const mode = {
    how: "pessimistic, for long",
    options: { ...options, pessimistic: true, lockTtlMs },
  };
  const count = between(random, 2, 4);
  return record(writer, "vigil", mode, async (scribe) => {
    for (let i = 0; i < count; i++) {
      if (i > 0) {
        const ms = between(random, THOUGHT_MS.least, THOUGHT_MS.most);
        await ports.clock.sleep(ms, undefined);
      }
      const key = nameIn(desk.vigils, random);
      if (chance(random, 500_000)) {
        noteUse(desk.vigils, key);
        await write(scribe, key);
      } else await read(scribe, key, true);
    }
  });
}
