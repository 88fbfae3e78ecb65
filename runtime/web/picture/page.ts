/**
 * The picture of a run: reads the film that the page holds, draws it, and lets people move about in
 * it by mouse, by touch and by keyboard.
 */
import { decodeFilm } from "../../../sim/film/codec.ts";
import { element } from "./element.ts";
import { startPage } from "./stage.ts";

async function readFilm(): Promise<Uint8Array> {
  const text = document.getElementById("film")?.textContent ?? "";
  const packed = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function main(): Promise<void> {
  const decoded = decodeFilm(await readFilm());
  if (decoded.ok) startPage(decoded.film);
  else document.body.append(element("p", {}, `This film cannot be shown: ${decoded.reason}`));
}

main().catch((error: unknown) => {
  document.body.append(element("p", {}, `This film cannot be shown: ${String(error)}`));
  throw error;
});
