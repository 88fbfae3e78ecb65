/** The keys that only the playground has; the others are the picture's. */
import type { Controls } from "../picture/controls.ts";
import { isTaken, type KeyText, onKey } from "../picture/keys.ts";
import type { Live } from "./live.ts";

export const LIVE_KEYS: readonly KeyText[] = [
  ["Space", "play, pause"],
  [". ,", "on by one event; in the past, on and back by a message"],
  ["[ ]", "slower, faster"],
  ["l", "to the latest moment"],
  ["1 … 9", "choose a server"],
  ["c", "crash the chosen server, or start it"],
  ["w", "the chosen server loses power"],
  ["z", "pause the chosen server, or let it go on"],
  ["x", "isolate the chosen server, or let it rejoin"],
  ["h", "end every fault"],
  ["k", "to the console: put, get, delete, scan"],
  ["b", "build another cluster"],
];

/** What keys can ask for beside `Live`. */
export interface Handles {
  readonly live: Live;
  readonly controls: Controls;
  faster(by: 1 | -1): void;
  /** The next lane, or the n-th one. */
  chooseLane(which: { readonly by: 1 | -1 } | { readonly nth: number }): void;
  /** What is done to the chosen server. */
  hit(how: "crash" | "power" | "pause" | "isolate"): void;
  toConsole(): void;
  build(): void;
}

export function onLiveKey(handles: Handles, event: KeyboardEvent): void {
  const { target, key } = event;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const isOpen = document.querySelector("dialog[open]") !== null;
  // A button that has the focus is pressed by the space bar, and details are opened by it.
  const isPress =
    key === " " && target instanceof Element && target.closest("button,summary,input") !== null;
  if (isPlain && !isOpen && !isTaken(target) && !isPress && act(handles, key)) {
    event.preventDefault();
    return;
  }
  onKey(handles.controls, event);
}

function act(handles: Handles, key: string): boolean {
  const { live } = handles;
  switch (key) {
    case " ":
      live.toggle();
      return true;
    case ".":
    case ",":
      live.step(key === "." ? 1 : -1);
      return true;
    case "[":
    case "]":
      handles.faster(key === "]" ? 1 : -1);
      return true;
    case "l":
    case "End":
      live.toEdge();
      return true;
    case "ArrowUp":
    case "ArrowDown":
      handles.chooseLane({ by: key === "ArrowUp" ? -1 : 1 });
      return true;
    case "c":
      handles.hit("crash");
      return true;
    case "w":
      handles.hit("power");
      return true;
    case "z":
      handles.hit("pause");
      return true;
    case "x":
      handles.hit("isolate");
      return true;
    case "h":
      live.deed({ type: "heal" });
      return true;
    case "k":
      handles.toConsole();
      return true;
    case "b":
      handles.build();
      return true;
    default:
      if (!/^[1-9]$/.test(key)) return false;
      handles.chooseLane({ nth: Number(key) });
      return true;
  }
}
