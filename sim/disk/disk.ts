/**
 * The simulated disk of one store: performs write effects and answers reads as a real disk would,
 * and decides what a crash leaves. Within what the disk port promises it is as nasty as it can be;
 * what was synced is lost only through the hooks that say so (`flip`, `misdirect`).
 *
 * The disk draws every choice from the stream it is given, and knows no time: `start` says how long
 * an effect takes, and the world calls `finish` when that has passed.
 */
import { assert, unreachable } from "../../engine/base/assert.ts";
import type {
  DiskFailure,
  DiskInput,
  DiskOperation,
  DiskRead,
  DiskReader,
  FileName,
  WriteEffect,
} from "../../engine/storage/disk.ts";
import { Content, pick } from "./content.ts";
import type { Random } from "./content.ts";
import { HEALTHY_DISK, durationUs } from "./model.ts";
import type { DiskModel } from "./model.ts";

/** How a store goes down: its process alone (the page cache survives), or the machine's power. */
export type Crash = "process" | "power";

export type DiskResult =
  { readonly ok: true } | { readonly ok: false; readonly reason: DiskFailure };

/** A change of the directory that no `sync_directory` has made durable. */
type Link =
  | { readonly type: "link"; readonly file: FileName; readonly content: Content }
  | { readonly type: "unlink"; readonly file: FileName }
  | {
      readonly type: "move";
      readonly file: FileName;
      readonly to: FileName;
      readonly content: Content;
    };

const DONE: DiskResult = { ok: true };

export class SimulatedDisk implements DiskReader {
  #model: DiskModel;
  #files = new Map<FileName, Content>();
  /** The directory as the last `sync_directory` left it. */
  #durable = new Map<FileName, Content>();
  #links: Link[] = [];
  #used = 0;
  #queue: WriteEffect[] = [];
  #started = false;
  #unreadable = new Set<FileName>();
  #misdirected: { readonly file: FileName; readonly offset: number } | undefined;

  constructor(model: DiskModel = HEALTHY_DISK) {
    this.#model = model;
  }

  get model(): DiskModel {
    return this.#model;
  }

  /** From now on the disk behaves like this. Operations already started keep their duration. */
  become(model: DiskModel): void {
    this.#model = model;
  }

  /** Whether an effect is started and not finished. */
  get busy(): boolean {
    return this.#started;
  }

  /** Puts an effect behind those that wait. */
  submit(effect: WriteEffect): void {
    this.#queue.push(effect);
  }

  /**
   * Starts the next effect: the microseconds until `finish` is due, or undefined where none can be
   * started.
   */
  start(random: Random): number | undefined {
    const effect = this.#queue[0];
    if (this.#started || effect === undefined) return undefined;
    this.#started = true;
    return durationUs(this.#model, effect.operations, random);
  }

  /** Performs the started effect and answers it. */
  finish(random: Random): DiskInput {
    const effect = this.#queue.shift();
    assert(this.#started && effect !== undefined, "an effect was started");
    this.#started = false;
    for (const operation of effect.operations) {
      const result = this.perform(operation, random);
      if (!result.ok) {
        const file = operation.type === "sync_directory" ? "." : operation.file;
        return { type: "write_failed", ticket: effect.ticket, reason: result.reason, file };
      }
    }
    return { type: "written", ticket: effect.ticket };
  }

  /** Performs one operation at once, with the failures of the model. */
  perform(operation: DiskOperation, random: Random): DiskResult {
    const model = this.#model;
    const syncs = operation.type === "sync" || operation.type === "sync_directory";
    const failure = syncs ? model.syncFailure : model.writeFailure;
    if (failure > 0 && random() < failure) {
      if (operation.type === "sync") this.#files.get(operation.file)?.settle(random, model.tearing);
      return { ok: false, reason: "io_error" };
    }
    return this.#perform(operation);
  }

  /**
   * The store goes down. Of the effect under way some operations are done, and a write among them
   * partly. Without power everything unsynced is drawn anew; effects that wait are forgotten.
   */
  crash(kind: Crash, random: Random): void {
    const effect = this.#started ? this.#queue[0] : undefined;
    if (effect !== undefined) this.#interrupt(effect.operations, random);
    this.#queue = [];
    this.#started = false;
    this.#misdirected = undefined;
    if (kind === "process") return;
    const links = this.#links;
    this.#files = this.#durable;
    for (const link of links) if (random() < 0.5) apply(this.#files, link);
    for (const content of new Set(this.#files.values())) {
      content.settle(random, this.#model.tearing);
    }
    this.#durable = new Map(this.#files);
    this.#links = [];
    this.#used = 0;
    for (const content of this.#files.values()) this.#used += content.size;
  }

  list(): readonly FileName[] {
    return [...this.#files.keys()].sort((a, b) => (a < b ? -1 : 1));
  }

  size(file: FileName): number | undefined {
    return this.#files.get(file)?.size;
  }

  read(file: FileName, offset: number, length: number): DiskRead {
    const content = this.#files.get(file);
    if (content === undefined) return { ok: false, reason: "missing" };
    if (this.#unreadable.has(file)) return { ok: false, reason: "io_error" };
    return { ok: true, bytes: content.read(offset, length) };
  }

  /** Bit rot: inverts the bits of `mask` in one byte of a synced file. */
  flip(file: FileName, offset: number, mask: number): void {
    this.#content(file).flip(offset, mask);
  }

  /** The next append lands at this place instead, and its own place reads as zeros. */
  misdirect(file: FileName, offset: number): void {
    this.#misdirected = { file, offset };
  }

  /** From now on, reads of `file` fail with `io_error`, or do so no more. */
  breakReads(file: FileName, broken: boolean): void {
    if (broken) this.#unreadable.add(file);
    else this.#unreadable.delete(file);
  }

  /** A disk with the same future, which shares no state with this one. */
  clone(): SimulatedDisk {
    const copies = new Map<Content, Content>();
    const copy = (content: Content): Content => {
      const known = copies.get(content) ?? content.clone();
      copies.set(content, known);
      return known;
    };
    const disk = new SimulatedDisk(this.#model);
    for (const [file, content] of this.#files) disk.#files.set(file, copy(content));
    for (const [file, content] of this.#durable) disk.#durable.set(file, copy(content));
    disk.#links = this.#links.map((link) =>
      link.type === "unlink" ? link : { ...link, content: copy(link.content) },
    );
    disk.#used = this.#used;
    disk.#queue = [...this.#queue];
    disk.#started = this.#started;
    disk.#unreadable = new Set(this.#unreadable);
    disk.#misdirected = this.#misdirected;
    return disk;
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
          this.#used -= this.#files.get(operation.to)?.size ?? 0;
          this.#change({ type: "move", file: operation.file, to: operation.to, content });
        });
      case "remove":
        return this.#with(operation.file, (content) => {
          this.#used -= content.size;
          this.#change({ type: "unlink", file: operation.file });
        });
      case "sync_directory":
        if (this.#links.length > 0) this.#durable = new Map(this.#files);
        this.#links = [];
        return DONE;
      default:
        return unreachable(operation);
    }
  }

  #with(file: FileName, action: (content: Content) => void): DiskResult {
    const content = this.#files.get(file);
    if (content === undefined) return { ok: false, reason: "missing" };
    action(content);
    return DONE;
  }

  #create(file: FileName): DiskResult {
    const content = this.#files.get(file);
    if (content === undefined) {
      this.#change({ type: "link", file, content: new Content() });
    } else {
      this.#used -= content.size;
      content.resize(0);
    }
    return DONE;
  }

  #append(file: FileName, bytes: Uint8Array): DiskResult {
    const content = this.#files.get(file);
    if (content === undefined) return { ok: false, reason: "missing" };
    const room = this.#model.capacityBytes - this.#used;
    if (bytes.length > room) {
      // A full disk takes what fits, as write(2) does, and then says no.
      this.#used += Math.max(0, room);
      if (room > 0) content.append(bytes.slice(0, room));
      return { ok: false, reason: "no_space" };
    }
    this.#used += bytes.length;
    const misdirected = this.#misdirected;
    if (misdirected === undefined) {
      content.append(bytes);
    } else {
      this.#misdirected = undefined;
      content.append(new Uint8Array(bytes.length));
      const victim = this.#content(misdirected.file);
      const before = victim.size;
      victim.write(misdirected.offset, bytes);
      this.#used += victim.size - before;
    }
    return DONE;
  }

  #change(link: Link): void {
    apply(this.#files, link);
    this.#links.push(link);
  }

  #content(file: FileName): Content {
    const content = this.#files.get(file);
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

/**
 * Performs a change of the directory. It holds files, not names: a rename survives without the
 * creation before it.
 */
function apply(files: Map<FileName, Content>, link: Link): void {
  switch (link.type) {
    case "link":
      files.set(link.file, link.content);
      break;
    case "unlink":
      files.delete(link.file);
      break;
    case "move":
      files.delete(link.file);
      files.set(link.to, link.content);
      break;
    default:
      unreachable(link);
  }
}
