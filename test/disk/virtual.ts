/** The simulated disk as a subject of the conformance suite: it goes on in virtual time. */
import type { Ticket } from "../../engine/base/ids.ts";
import type { DiskInput } from "../../engine/storage/disk.ts";
import { SimulatedDisk } from "../../sim/disk/disk.ts";
import type { Track } from "../../sim/disk/tracks.ts";
import type { Subject } from "./conformance.ts";
import { generator } from "./random.ts";

export async function onSimulatedDisk(): Promise<Subject> {
  const disk = new SimulatedDisk();
  const random = generator(1);
  const resolvers = new Map<Ticket, (input: DiskInput) => void>();
  const due = new Map<Track, number>();
  let nowUs = 0;
  let pumping = false;
  const pump = async (): Promise<void> => {
    for (;;) {
      for (const track of disk.tracks.waiting) {
        const lastsUs = disk.start(random, track);
        if (lastsUs !== undefined) due.set(track, nowUs + lastsUs);
      }
      const next = [...due].sort(([, a], [, b]) => a - b)[0];
      if (next === undefined) break;
      const [track, timeUs] = next;
      due.delete(track);
      nowUs = timeUs;
      const input = disk.finish(random, track);
      resolvers.get(input.ticket)?.(input);
      resolvers.delete(input.ticket);
      // Whoever waited goes on before time does.
      await Promise.resolve();
    }
    pumping = false;
  };
  return {
    reader: disk,
    perform: (effect) =>
      new Promise((resolve) => {
        disk.submit(effect);
        resolvers.set(effect.ticket, resolve);
        if (pumping) return;
        pumping = true;
        queueMicrotask(() => void pump());
      }),
    restart: async () => disk.crash("process", random),
    end: async () => {},
  };
}
