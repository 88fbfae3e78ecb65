/**
 * The simulated disk of one store: performs write effects and slices of jobs, answers reads as a
 * real disk would, and decides what a crash leaves. Within what the disk port promises it is as
 * nasty as it can be; what was synced is lost only through the hooks that say so (`flip`, `spoil`,
 * `misdirect`).
 *
 * The disk draws every choice from the stream it is given, and knows no time: `start` says how long
 * the next work of a track takes, and the world calls `finish` when that has passed.
 */
import { assert, unreachable } from "../../engine/base/assert.ts";
import type { Ticket } from "../../engine/base/ids.ts";
import type {
  DiskFailure,
  DiskInput,
  DiskOperation,
  DiskFill,
  DiskRead,
  DiskReader,
  FileName,
  WriteEffect,
} from "../../engine/storage/disk.ts";
import { Content, pick } from "./content.ts";
import type { Random } from "./content.ts";
import { Directory } from "./directory.ts";
import { HEALTHY_DISK, durationUs, readingUs } from "./model.ts";
import type { DiskModel } from "./model.ts";
import { Tracks } from "./tracks.ts";
import type { Track } from "./tracks.ts";

/** How a store goes down: its process alone (the page cache survives), or the machine's power. */
export type Crash = "process" | "power";

export type DiskResult =
  { readonly ok: true } | { readonly ok: false; readonly reason: DiskFailure };

/** Where a write lands that was meant for another place. */
interface Stray {
  readonly file: FileName;
  readonly offset: number;
  /** Of files whose names begin so; the next append to one of them strays. */
  readonly from: string;
}

const DONE: DiskResult = { ok: true };

export class SimulatedDisk implements DiskReader {
  #model: DiskModel;
  #directory = new Directory();
  #tracks = new Tracks();
  /** Sum of the sizes of all files. */
  #used = 0;
  /** What reads have cost since somebody asked. */
  #readingUs = 0;
  #syncsToFail = 0;
  #stray: Stray | undefined;

  constructor(model: DiskModel = HEALTHY_DISK) {
    this.#model = model;
  }

  get model(): DiskModel {
    return this.#model;
  }

  /** From now on the disk behaves like this. Work already started keeps its duration. */
  become(model: DiskModel): void {
    this.#model = model;
  }

  /** Whether some work is started and not finished. */
  get busy(): boolean {
    return this.#tracks.running().length > 0;
  }

  /** Tracks with work that has not begun, and tracks whose work is under way. */
  get tracks(): { readonly waiting: readonly Track[]; readonly running: readonly Track[] } {
    return { waiting: this.#tracks.waiting(), running: this.#tracks.running() };
  }

  /** Puts an effect behind those that wait in its lane. */
  submit({ lane, ticket, operations }: WriteEffect): void {
    this.#tracks.submit(lane, { ticket, operations });
  }

  /** Puts a slice behind those of the same job. Its track is the job's ticket. */
  submitSlice(job: Ticket, operations: readonly DiskOperation[]): void {
    this.#tracks.submit(job, { ticket: job, operations });
  }

  /**
   * Starts the next work of a track: the microseconds until `finish` is due, or undefined where
   * none can be started.
   */
  start(random: Random, track: Track = "log"): number | undefined {
    const work = this.#tracks.start(track);
    return work === undefined ? undefined : durationUs(this.#model, work.operations, random);
  }

  /** Performs the started work of a track and answers it. */
  finish(random: Random, track: Track = "log"): DiskInput {
    const { ticket, operations } = this.#tracks.finish(track);
    for (const operation of operations) {
      const result = this.perform(operation, random);
      if (!result.ok) {
        const file = operation.type === "sync_directory" ? "." : operation.file;
        return { type: "write_failed", ticket, reason: result.reason, file };
      }
    }
    return { type: "written", ticket };
  }

  /** Performs one operation at once, with the failures of the model. */
  perform(operation: DiskOperation, random: Random): DiskResult {
    const model = this.#model;
    const syncs = operation.type === "sync" || operation.type === "sync_directory";
    const failure = syncs ? model.syncFailure : model.writeFailure;
    if ((failure > 0 && random() < failure) || (syncs && this.#syncsToFail > 0)) {
      if (syncs && this.#syncsToFail > 0) this.#syncsToFail -= 1;
      if (operation.type === "sync") {
        const content = this.#directory.get(operation.file);
        if (content !== undefined) this.#used -= content.size;
        content?.settle(random, model.tearing);
        if (content !== undefined) this.#used += content.size;
      }
      return { ok: false, reason: "io_error" };
    }
    if (!syncs && model.spaceFailure > 0 && random() < model.spaceFailure) {
      if (operation.type === "append") {
        this.#append(
          operation.file,
          operation.bytes.slice(0, pick(random, operation.bytes.length + 1)),
        );
      }
      return { ok: false, reason: "no_space" };
    }
    return this.#perform(operation);
  }

  /**
   * The store goes down. Of the work under way some operations are done, and a write among them
   * partly. Without power everything unsynced is drawn anew; what waits is forgotten.
   */
  crash(kind: Crash, random: Random): void {
    for (const { operations } of this.#tracks.clear()) this.#interrupt(operations, random);
    this.#stray = undefined;
    this.#syncsToFail = 0;
    this.#readingUs = 0;
    if (kind === "process") return;
    this.#directory.settle(random);
    const contents = new Set([...this.#directory.entries()].map(([, content]) => content));
    for (const content of contents) content.settle(random, this.#model.tearing);
    this.#used = 0;
    for (const [, content] of this.#directory.entries()) this.#used += content.size;
  }

  /** It is another disk, with nothing on it. Nobody works on it. */
  erase(): void {
    this.#directory = new Directory();
    this.#tracks = new Tracks();
    this.#used = 0;
  }

  list(): readonly FileName[] {
    return [...this.#directory.entries()].map(([file]) => file).sort((a, b) => (a < b ? -1 : 1));
  }

  size(file: FileName): number | undefined {
    return this.#directory.get(file)?.size;
  }

  read(file: FileName, offset: number, length: number): DiskRead {
    const read = this.#read(file, offset, length);
    this.#readingUs += readingUs(this.#model, read.ok ? read.bytes.length : 0);
    return read;
  }

  readInto(file: FileName, offset: number, length: number, into: Uint8Array): DiskFill {
    return filled(this.read(file, offset, length), into);
  }

  /** Bytes that appends may still take. */
  free(): number {
    return Math.max(0, this.#model.capacityBytes - this.#used);
  }

  /** Sum of the sizes of all files, in bytes. */
  get usedBytes(): number {
    return this.#used;
  }

  /** Whole microseconds that reads have taken since the last call: who reads, waits. */
  takeReadingUs(): number {
    const whole = Math.floor(this.#readingUs);
    this.#readingUs -= whole;
    return whole;
  }

  /** The same files, read by somebody whose reads cost nothing: a checker. */
  observer(): DiskReader {
    return {
      list: () => this.list(),
      size: (file) => this.size(file),
      read: (file, offset, length) => this.#read(file, offset, length),
      readInto: (file, offset, length, into) => filled(this.#read(file, offset, length), into),
      free: () => this.free(),
    };
  }

  /** Bit rot: inverts the bits of `mask` in one byte of a synced file. */
  flip(file: FileName, offset: number, mask: number): void {
    this.#content(file).flip(offset, mask);
  }

  /** A latent error: reads that touch the sector of this byte fail with `io_error` from now on. */
  spoil(file: FileName, offset: number): void {
    this.#content(file).spoil(offset);
  }

  /**
   * The next append to a file whose name begins with `from` lands at this place instead, over what
   * stands there, and zeros stand where it belongs.
   */
  misdirect(file: FileName, offset: number, from: string = ""): void {
    this.#stray = { file, offset, from };
  }

  /** Whether a write is still to go astray; `straighten` sees to it that none does. */
  get goesAstray(): boolean {
    return this.#stray !== undefined;
  }

  straighten(): void {
    this.#stray = undefined;
  }

  /** The next `count` syncs fail, and drop what they should have made durable. */
  failSyncs(count: number): void {
    this.#syncsToFail = count;
  }

  /** Files that the hooks above have damaged, in ascending order. */
  damaged(): readonly FileName[] {
    return this.list().filter((file) => this.#content(file).damaged);
  }

  /** Whether all of a file survives a loss of power. */
  synced(file: FileName): boolean {
    return this.#directory.get(file)?.dirty === false;
  }

  /** A disk with the same future, which shares no state with this one. */
  clone(): SimulatedDisk {
    const disk = new SimulatedDisk(this.#model);
    disk.#directory = this.#directory.clone();
    disk.#tracks = this.#tracks.clone();
    disk.#used = this.#used;
    disk.#readingUs = this.#readingUs;
    disk.#syncsToFail = this.#syncsToFail;
    disk.#stray = this.#stray;
    return disk;
  }

  #read(file: FileName, offset: number, length: number): DiskRead {
    const content = this.#directory.get(file);
    if (content === undefined) return { ok: false, reason: "missing" };
    if (!content.readable(offset, length)) return { ok: false, reason: "io_error" };
    return { ok: true, bytes: content.read(offset, length) };
  }

  #perform(operation: DiskOperation): DiskResult {
    switch (operation.type) {
      case "create":
        return this.#create(operation.file);
      case "append":
        return this.#append(operation.file, operation.bytes);
      case "truncate":
        return this.#with(operation.file, (content) => {
          this.#used += operation.size - content.size;
          content.resize(operation.size);
        });
      case "sync":
        return this.#with(operation.file, (content) => content.sync());
      case "rename":
        return this.#with(operation.file, (content) => {
          this.#used -= this.#directory.get(operation.to)?.size ?? 0;
          this.#directory.change({
            type: "move",
            file: operation.file,
            to: operation.to,
            content,
          });
        });
      case "remove":
        return this.#with(operation.file, (content) => {
          this.#used -= content.size;
          this.#directory.change({ type: "unlink", file: operation.file });
        });
      case "sync_directory":
        this.#directory.sync();
        return DONE;
      default:
        return unreachable(operation);
    }
  }

  #with(file: FileName, action: (content: Content) => void): DiskResult {
    const content = this.#directory.get(file);
    if (content === undefined) return { ok: false, reason: "missing" };
    action(content);
    return DONE;
  }

  #create(file: FileName): DiskResult {
    const content = this.#directory.get(file);
    if (content === undefined) {
      if (this.free() === 0) return { ok: false, reason: "no_space" };
      this.#directory.change({ type: "link", file, content: new Content() });
    } else {
      this.#used -= content.size;
      content.resize(0);
    }
    return DONE;
  }

  #append(file: FileName, bytes: Uint8Array): DiskResult {
    const content = this.#directory.get(file);
    if (content === undefined) return { ok: false, reason: "missing" };
    const room = this.free();
    if (bytes.length > room) {
      // A full disk takes what fits, as write(2) does, and then says no.
      this.#used += room;
      if (room > 0) content.append(bytes.slice(0, room));
      return { ok: false, reason: "no_space" };
    }
    this.#used += bytes.length;
    const stray = this.#stray;
    if (stray === undefined || !file.startsWith(stray.from)) content.append(bytes);
    else this.#goAstray(content, bytes, stray);
    return DONE;
  }

  #goAstray(content: Content, bytes: Uint8Array, { file, offset }: Stray): void {
    this.#stray = undefined;
    const victim = this.#directory.get(file);
    content.miss(bytes.length);
    if (victim === undefined) return;
    const before = victim.size;
    victim.stray(offset, bytes);
    this.#used += victim.size - before;
  }

  #content(file: FileName): Content {
    const content = this.#directory.get(file);
    assert(content !== undefined, () => `the disk has a file ${file}`);
    return content;
  }

  /** Performs a prefix of `operations`, and a part of the write behind it. */
  #interrupt(operations: readonly DiskOperation[], random: Random): void {
    const count = pick(random, operations.length + 1);
    for (const operation of operations.slice(0, count)) {
      if (!this.#perform(operation).ok) return;
    }
    const next = operations[count];
    if (next?.type === "append") {
      const length = pick(random, next.bytes.length + 1);
      this.#append(next.file, next.bytes.slice(0, length));
    }
  }
}

/** What was read, moved into `into`. */
function filled(read: DiskRead, into: Uint8Array): DiskFill {
  if (!read.ok) return read;
  into.set(read.bytes);
  return { ok: true, length: read.bytes.length };
}
