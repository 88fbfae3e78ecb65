/** Colours and letters of the theme in force, and what else stays the same between two frames. */
import { FAMILIES, FATES, type Scene } from "./scene.ts";

export interface Pen {
  readonly ground: string;
  readonly panel: string;
  readonly line: string;
  readonly text: string;
  readonly soft: string;
  readonly lane: string;
  readonly vote: string;
  readonly call: string;
  readonly bad: string;
  readonly cone: string;
  readonly fault: string;
  readonly select: string;
  readonly down: string;
  /** What is written on bands of leaders. */
  readonly onBand: string;
  /** By family of message. */
  readonly families: readonly string[];
  /** By group, again and again. */
  readonly groups: readonly string[];
  readonly normal: string;
  readonly small: string;
  readonly bold: string;
  readonly overview: Overview;
}

/** Messages of the whole run, by time. */
export interface Overview {
  readonly bins: Uint32Array;
  readonly lost: Uint32Array;
  readonly most: number;
}

export function penOf(root: HTMLElement, overview: Overview): Pen {
  const style = getComputedStyle(root);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: colour("ground"),
    panel: colour("panel"),
    line: colour("line"),
    text: colour("text"),
    soft: colour("soft"),
    lane: colour("lane"),
    vote: colour("vote"),
    call: colour("call"),
    bad: colour("bad"),
    cone: colour("cone"),
    fault: colour("fault"),
    select: colour("select"),
    down: colour("down"),
    onBand: colour("ground"),
    families: FAMILIES.map(colour),
    groups: ["raft", "vote", "call", "snapshot", "other"].map(colour),
    normal: "12px system-ui,sans-serif",
    small: "10px system-ui,sans-serif",
    bold: "600 12px system-ui,sans-serif",
    overview,
  };
}

export function overviewOf({ arrows, film }: Scene): Overview {
  const bins = new Uint32Array(400);
  const lost = new Uint32Array(400);
  const badly = [FATES.indexOf("lost"), FATES.indexOf("dropped")];
  for (let i = 0; i < arrows.count; i++) {
    const bin = Math.min(399, Math.floor(((arrows.sentUs[i] as number) / film.endUs) * 400));
    bins[bin] = (bins[bin] as number) + 1;
    if (badly.includes(arrows.fate[i] as number)) lost[bin] = (lost[bin] as number) + 1;
  }
  return { bins, lost, most: Math.max(1, ...bins) };
}
