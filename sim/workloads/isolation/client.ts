/** A client whose transactions are recorded: one errand after another. */
import type { Client } from "../../model.ts";
import { MEDIAN, pickWeighted } from "../../random.ts";
import { asyncClient } from "../async-client.ts";
import { boundedCommits, libraryOf } from "../library.ts";
import type { Desk } from "./desk.ts";
import { runErrand } from "./errands.ts";
import type { Writer } from "./scribe.ts";

export function recordedClient(node: number, name: string, desk: Desk, thinkUs: number): Client {
  const { world } = desk;
  return asyncClient(world, node, name, async (ports, operate) => {
    const { txn } = libraryOf(world, boundedCommits(ports, desk.boundMs));
    const writer: Writer = { desk, ports, txn, random: MEDIAN, name, count: 0 };
    await operate(thinkUs, (random) => {
      writer.random = random;
      return runErrand(writer, pickWeighted(random, desk.errands), pickWeighted(random, desk.mix));
    });
  });
}
