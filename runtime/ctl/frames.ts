/**
 * Goes through a file of frames (a log segment, a manifest) as far as it can be read,
 * and further: behind damage it goes on at the next frame that proves itself.
 */
import {
  HEADER_BYTES,
  decodeHeader,
  findFrame,
  readFrame,
} from "../../engine/storage/log/frame.ts";
import type { FileHeader } from "../../engine/storage/log/frame.ts";

export type FramePart =
  | { readonly type: "header"; readonly header: FileHeader }
  | {
      readonly type: "frame";
      readonly offset: number;
      readonly sequence: number;
      /** A view of the file's bytes. */
      readonly payload: Uint8Array;
    }
  | {
      readonly type: "damage";
      readonly offset: number;
      /** Nothing that proves itself stands behind it. */
      readonly isTail: boolean;
      readonly detail: string;
    };

/** The parts of the file whose contents are `bytes`, from its header on. */
export function* framesOf(kind: FileHeader["kind"], bytes: Uint8Array): Generator<FramePart> {
  const head = decodeHeader(kind, bytes);
  if (!head.ok) {
    // Without the header the seed is not known, and nothing can prove itself.
    const isTail = bytes.length <= HEADER_BYTES && head.reason !== "version";
    yield { type: "damage", offset: head.offset, isTail, detail: head.detail };
    return;
  }
  yield { type: "header", header: head.header };
  let offset = HEADER_BYTES;
  for (;;) {
    const frame = readFrame(head.seed, bytes, offset);
    if (frame.type === "end") return;
    if (frame.type === "frame") {
      const { sequence, payload } = frame;
      yield { type: "frame", offset, sequence, payload };
      offset = frame.end;
      continue;
    }
    const isPayload = frame.type === "damaged_payload";
    const next =
      isPayload && frame.end < bytes.length ? frame.end : findFrame(head.seed, bytes, offset + 1);
    const what = isPayload ? "the payload of the frame" : "the header of the frame";
    const detail = `${what} does not match its checksum`;
    yield { type: "damage", offset, isTail: next === undefined, detail };
    if (next === undefined) return;
    offset = next;
  }
}
