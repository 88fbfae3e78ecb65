/** What the storage has to say, each thing to whom it concerns. */
import type { Ticket } from "../base/ids.ts";
import { exposed } from "../region/damage.ts";
import { drive } from "../region/drive.ts";
import { onExtracted, onExtractFailed, type Sent } from "../region/snapshot/extraction.ts";
import { onFilesFailed, onFilesWritten } from "../region/snapshot/receive.ts";
import type { Replica } from "../region/replica.ts";
import { pursueSending } from "../region/snapshot/send.ts";
import { complain } from "../storage/complaint.ts";
import type { StorageEffect } from "../storage/types.ts";
import { onFlushed } from "./flush.ts";
import { onRegistrationDurable } from "./registration.ts";
import type { StoreTurn } from "./turn.ts";

/** How long a disk that has refused tables is left alone, in milliseconds. */
const RETRY_MS = 1000;

export function onStorage(turn: StoreTurn, effect: StorageEffect): void {
  switch (effect.type) {
    case "durable":
      onDurable(turn, effect.ticket);
      return;
    case "opened":
      turn.opened = true;
      return;
    case "flushed":
      onFlushed(turn, effect.marks);
      return;
    case "extracted": {
      const replica = turn.replicas.get(effect.mark.region);
      if (replica?.extraction?.ticket !== effect.ticket) turn.tree.release(effect.ticket);
      else {
        const made = onExtracted(turn, replica, effect.mark, effect.tables);
        settleSent(turn, pursueSending(turn, made));
      }
      return;
    }
    case "extract_failed": {
      const { failure, ticket } = effect;
      const replica = turn.replicas.all().find(({ extraction }) => extraction?.ticket === ticket);
      if (replica !== undefined) settleSent(turn, onExtractFailed(turn, replica, failure));
      return;
    }
    case "files_written":
    case "files_failed": {
      const { ticket } = effect;
      const replica = receiverOf(turn, ticket);
      if (replica === undefined) return;
      const hear = effect.type === "files_written" ? onFilesWritten : onFilesFailed;
      turn.replicas.put(hear(turn, replica, ticket));
      return;
    }
    case "damaged":
      turn.damage.push(...exposed(turn, effect.damage));
      return;
    case "stalled":
      turn.retryAt = turn.now.monotonicMs + RETRY_MS;
      turn.complainedAt = complain(turn, turn.complainedAt, effect);
      return;
    case "failed":
      turn.trouble = { reason: effect.reason, file: effect.file };
      turn.effects.push({
        type: "log",
        level: "error",
        message: "the disk has refused a write: this store takes no more part",
        fields: { reason: effect.reason, file: effect.file },
      });
      return;
    default:
      return;
  }
}

/** Keeps the replica and tells its group what has become of its transfers. */
export function settleSent(turn: StoreTurn, { replica, inputs }: Sent): void {
  turn.replicas.put(replica);
  let current: Replica | undefined = replica;
  for (const input of inputs) {
    if (current !== undefined) current = drive(turn, current, input);
  }
}

/** The replica that waits for this write of its tables; it may be gone. */
function receiverOf(turn: StoreTurn, ticket: Ticket): Replica | undefined {
  const write = turn.fileWrites.find((other) => other.ticket === ticket);
  if (write === undefined) return undefined;
  turn.fileWrites = turn.fileWrites.filter((other) => other !== write);
  return turn.replicas.get(write.region);
}

/** Everything logged up to `ticket` is on the disk: the groups that it belongs to go on. */
function onDurable(turn: StoreTurn, ticket: Ticket): void {
  onRegistrationDurable(turn, ticket);
  const done = turn.durability.filter((batch) => batch.ticket <= ticket);
  if (done.length === 0) return;
  turn.durability = turn.durability.slice(done.length);
  for (const { persisting } of done) {
    for (const { region, peer, ticket: persisted } of persisting) {
      const replica = turn.replicas.get(region);
      if (replica === undefined || replica.peer.id !== peer) continue;
      drive(turn, replica, { type: "persisted", ticket: persisted });
    }
  }
}
