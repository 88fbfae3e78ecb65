/**
 * Finds what was chosen in one scene in another one of the same run: places differ, things do not.
 */
import { firstAt, type Scene } from "../picture/scene.ts";
import type { Choice } from "../picture/view.ts";

/** The choice as the new scene has it; undefined where it is not part of it. */
export function rechoose(old: Scene, scene: Scene, choice: Choice): Choice | undefined {
  if (choice.type === "moment") return choice;
  const index = placeOf(old, scene, choice.type, choice.index);
  return index < 0 ? undefined : { type: choice.type, index };
}

function placeOf(old: Scene, scene: Scene, type: string, index: number): number {
  switch (type) {
    case "arrow":
      return arrowAt(old, scene, index);
    case "bar": {
      const one = old.bars[index];
      return scene.bars.findIndex(
        (bar) => bar.beginUs === one?.beginUs && bar.node === one.node && bar.kind === one.kind,
      );
    }
    case "role": {
      const one = old.roles[index];
      return scene.roles.findIndex(
        (span) =>
          span.node === one?.node &&
          span.group === one.group &&
          span.term === one.term &&
          span.role === one.role,
      );
    }
    case "fault": {
      const one = old.film.faults[index];
      return scene.film.faults.findIndex(
        ({ timeUs, text }) => timeUs === one?.timeUs && text === one.text,
      );
    }
    default: {
      const one = old.film.lines[index];
      return scene.film.lines.findIndex(
        ({ timeUs, text }) => timeUs === one?.timeUs && text === one.text,
      );
    }
  }
}

function arrowAt({ arrows: old }: Scene, { arrows }: Scene, index: number): number {
  const sent = old.sentUs[index];
  if (sent === undefined) return -1;
  for (let i = firstAt(arrows.sentUs, sent); i < arrows.count && arrows.sentUs[i] === sent; i++) {
    const same =
      arrows.from[i] === old.from[index] &&
      arrows.to[i] === old.to[index] &&
      arrows.type[i] === old.type[index] &&
      arrows.endUs[i] === old.endUs[index];
    if (same) return i;
  }
  return -1;
}
