/** What the page shows at the moment: the window of time, filters, the choice; and its address. */
import type { Film } from "../../../sim/film/film.ts";

export type Choice =
  | { readonly type: "arrow" | "bar" | "fault" | "role" | "line"; readonly index: number }
  | { readonly type: "moment"; readonly node: number; readonly timeUs: number };

/** Mutable: one for the page. */
export interface View {
  beginUs: number;
  endUs: number;
  /** Pixels that lanes are scrolled by. */
  scroll: number;
  /** -2 shows all groups. */
  group: number;
  node: number;
  /** Types of messages that are not shown, by their words' numbers. */
  readonly hidden: Set<number>;
  pastOnly: boolean;
  search: string;
  choice: Choice | undefined;
  /** Which messages the filters let through, and for which filters that is so (`arrows.ts`). */
  sieve: { readonly filters: string; readonly shown: Uint8Array } | undefined;
}

export const ALL = -2;
/** Closer than this nothing more is to be seen. */
const LEAST_US = 200;

export const viewOf = (film: Film): View => ({
  beginUs: 0,
  endUs: Math.max(film.endUs, LEAST_US),
  scroll: 0,
  group: ALL,
  node: ALL,
  hidden: new Set(),
  pastOnly: false,
  search: "",
  choice: undefined,
  sieve: undefined,
});

/** Shows `[beginUs, endUs]`, moved to where the film is and to a length that makes sense. */
export function show(view: View, film: Film, beginUs: number, endUs: number): void {
  const whole = Math.max(film.endUs * 1.02, LEAST_US);
  const length = Math.min(Math.max(endUs - beginUs, LEAST_US), whole);
  const middle = (beginUs + endUs) / 2;
  view.beginUs = Math.max(-0.01 * whole, Math.min(middle - length / 2, whole - length));
  view.endUs = view.beginUs + length;
}

/** Zooms by `factor` (below 1 is closer) around `atUs`, which stays where it is. */
export function zoom(view: View, film: Film, factor: number, atUs: number): void {
  show(view, film, atUs - (atUs - view.beginUs) * factor, atUs + (view.endUs - atUs) * factor);
}

/** Brings `timeUs` to the middle; from far away also closer. */
export function goTo(view: View, film: Film, timeUs: number, atMostUs: number = Infinity): void {
  const length = Math.min(view.endUs - view.beginUs, atMostUs);
  show(view, film, timeUs - length / 2, timeUs + length / 2);
}

/** The page's address behind `#`. */
export function addressOf(view: View): string {
  const fields = new URLSearchParams();
  fields.set("t", `${Math.round(view.beginUs)}-${Math.round(view.endUs)}`);
  if (view.group !== ALL) fields.set("group", String(view.group));
  if (view.node !== ALL) fields.set("node", String(view.node));
  if (view.search !== "") fields.set("search", view.search);
  if (view.pastOnly) fields.set("past", "1");
  const { choice } = view;
  if (choice?.type === "moment") fields.set("at", `${choice.node}-${Math.round(choice.timeUs)}`);
  else if (choice !== undefined) fields.set("choice", `${choice.type}-${choice.index}`);
  return fields.toString();
}

/** Takes from an address what it says; what makes no sense is passed over. */
export function takeAddress(view: View, film: Film, address: string): void {
  const fields = new URLSearchParams(address);
  const window = /^(-?\d+)-(\d+)$/.exec(fields.get("t") ?? "");
  if (window !== null) show(view, film, Number(window[1]), Number(window[2]));
  const number = (name: string): number => {
    const text = fields.get(name) ?? "";
    return /^\d+$/.test(text) ? Number(text) : ALL;
  };
  view.group = number("group");
  view.node = number("node");
  view.search = fields.get("search") ?? "";
  view.pastOnly = fields.get("past") === "1";
  const choice = /^(arrow|bar|fault|role|line)-(\d+)$/.exec(fields.get("choice") ?? "");
  const moment = /^(\d+)-(\d+)$/.exec(fields.get("at") ?? "");
  if (choice !== null) {
    view.choice = { type: choice[1] as "arrow", index: Number(choice[2]) };
  } else if (moment !== null) {
    view.choice = { type: "moment", node: Number(moment[1]), timeUs: Number(moment[2]) };
  }
}
