/**
 * A film as bytes: one msgpack value. Columns of times that only grow are written as differences,
 * which are small numbers and take a third of the bytes.
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import { type Film, FILM_VERSION } from "./film.ts";

export type DecodedFilm =
  { readonly ok: true; readonly film: Film } | { readonly ok: false; readonly reason: string };

export const encodeFilm = (film: Film): Uint8Array =>
  new Encoder({ ignoreUndefined: true, initialBufferSize: 1 << 20 }).encode(
    withTimes(film, differences),
  );

/** Reads a film of this version. */
export function decodeFilm(bytes: Uint8Array): DecodedFilm {
  let value: unknown;
  try {
    value = new Decoder().decode(bytes);
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
  if (typeof value !== "object" || value === null) return { ok: false, reason: "not a film" };
  const { version } = value as Partial<Film>;
  if (version !== FILM_VERSION) {
    return { ok: false, reason: `a film of version ${String(version)}, not ${FILM_VERSION}` };
  }
  return { ok: true, film: withTimes(value as Film, sums) };
}

/** The film with its growing columns rewritten. */
function withTimes(film: Film, rewrite: (column: readonly number[]) => number[]): Film {
  return {
    ...film,
    messages: { ...film.messages, sentUs: rewrite(film.messages.sentUs) },
    calls: {
      ...film.calls,
      id: rewrite(film.calls.id),
      beginUs: rewrite(film.calls.beginUs),
    },
    operations: { ...film.operations, beginUs: rewrite(film.operations.beginUs) },
    statuses: { ...film.statuses, timeUs: rewrite(film.statuses.timeUs) },
    states: { ...film.states, timeUs: rewrite(film.states.timeUs) },
    clocks: { ...film.clocks, timeUs: rewrite(film.clocks.timeUs) },
  };
}

function differences(column: readonly number[]): number[] {
  let last = 0;
  return column.map((value) => {
    const difference = value - last;
    last = value;
    return difference;
  });
}

function sums(column: readonly number[]): number[] {
  let sum = 0;
  return column.map((difference) => (sum += difference));
}
