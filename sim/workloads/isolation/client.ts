/** A client whose transactions are recorded: one errand after another. */
import type { Client } from "../../model.ts";
import { between, pickWeighted, stream } from "../../random.ts";
import { asyncClient } from "../async-client.ts";
import { boundedCommits, libraryOf } from "../library.ts";
import type { Desk } from "./desk.ts";
import { runErrand } from "./errands.ts";
import type { Writer } from "./scribe.ts";

export function recordedClient(node: number, name: string, desk: Desk, thinkUs: number): Client {
  const { world } = desk;
  const random = stream(world.streams, name);
  return asyncClient(world, node, name, async (ports) => {
    const { txn } = libraryOf(world, boundedCommits(ports, desk.boundMs));
    const writer: Writer = { desk, ports, txn, random, name, count: 0 };
    for (;;) {
      await ports.clock.sleep(between(random, 1, 2 * thinkUs) / 1000, undefined);
      if (!world.clientsActive) return;
      world.errands += 1;
      await runErrand(writer, pickWeighted(random, desk.errands), pickWeighted(random, desk.mix));
      world.errands -= 1;
    }
  });
}
