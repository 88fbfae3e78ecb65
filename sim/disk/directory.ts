/**
 * The names of a simulated disk: which file each stands for, now and after a loss of power. A
 * change of the directory that was not synced survives or does not, each by itself.
 */
import { unreachable } from "../../engine/base/assert.ts";
import type { FileName } from "../../engine/storage/disk.ts";
import { Content } from "./content.ts";
import type { Random } from "./content.ts";

/** A change that no sync of the directory has made durable. */
export type Link =
  | { readonly type: "link"; readonly file: FileName; readonly content: Content }
  | { readonly type: "unlink"; readonly file: FileName }
  | {
      readonly type: "move";
      readonly file: FileName;
      readonly to: FileName;
      readonly content: Content;
    };

export class Directory {
  #files = new Map<FileName, Content>();
  /** As the last sync left it. */
  #durable = new Map<FileName, Content>();
  #links: Link[] = [];

  get(file: FileName): Content | undefined {
    return this.#files.get(file);
  }

  entries(): IterableIterator<[FileName, Content]> {
    return this.#files.entries();
  }

  change(link: Link): void {
    apply(this.#files, link);
    this.#links.push(link);
  }

  sync(): void {
    for (const link of this.#links) apply(this.#durable, link);
    this.#links = [];
  }

  /** The power is gone: any part of what was changed since the last sync is left, in order. */
  settle(random: Random): void {
    const links = this.#links;
    this.#files = this.#durable;
    for (const link of links) if (random() < 0.5) apply(this.#files, link);
    this.#durable = new Map(this.#files);
    this.#links = [];
  }

  /** A directory with the same future, which shares no state with this one. */
  clone(): Directory {
    const copies = new Map<Content, Content>();
    const copy = (content: Content): Content => {
      const known = copies.get(content) ?? content.clone();
      copies.set(content, known);
      return known;
    };
    const directory = new Directory();
    for (const [file, content] of this.#files) directory.#files.set(file, copy(content));
    for (const [file, content] of this.#durable) directory.#durable.set(file, copy(content));
    directory.#links = this.#links.map((link) =>
      link.type === "unlink" ? link : { ...link, content: copy(link.content) },
    );
    return directory;
  }
}

/** It holds files, not names: a rename survives without the creation before it. */
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
