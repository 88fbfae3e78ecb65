/** The console: writes and reads keys as a client of the cluster. */
import type { Told } from "../../../sim/live/console.ts";
import { describeDeed, type Mode, type Operation, OPERATIONS } from "../../../sim/live/deed.ts";
import { element } from "../picture/element.ts";
import { clockText, lengthText } from "../picture/scene.ts";
import type { Live, Now, Part } from "./live.ts";

/** Answers that are listed. */
const MOST = 12;

export interface ConsolePart extends Part {
  focus(): void;
}

export function consolePart(live: Live): ConsolePart {
  const menu = (label: string, texts: readonly string[]): HTMLSelectElement =>
    element(
      "select",
      { "aria-label": label },
      ...texts.map((text) => element("option", { value: text }, text)),
    );
  const what = menu("What to do", OPERATIONS);
  const mode = menu("How", ["raw", "transactional"] satisfies readonly Mode[]);
  const field = (label: string): HTMLInputElement =>
    element("input", {
      type: "text",
      placeholder: label,
      "aria-label": label,
      maxlength: "200",
      autocomplete: "off",
      spellcheck: "false",
    });
  const key = field("key");
  const value = field("value");
  const list = element("ol", { class: "told", "aria-live": "polite", "aria-label": "Answers" });
  const form = element(
    "form",
    { class: "console" },
    what,
    mode,
    key,
    value,
    element("button", { type: "submit" }, "Do it"),
  );
  what.addEventListener("change", () => {
    value.hidden = what.value !== "put";
    key.placeholder = what.value === "scan" ? "keys that begin with" : "key";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const operation = operationOf(what.value, mode.value as Mode, key.value, value.value);
    if (operation === undefined) {
      live.say("Which key?", true);
      key.focus();
      return;
    }
    live.deed(operation);
  });
  let shown = "";
  const refresh = ({ told, atUs }: Now): void => {
    const past = told.filter(({ beginUs }) => beginUs <= atUs).slice(-MOST);
    const rows = past.map((one) => rowOf(one, atUs));
    const text = rows.map((row) => row.join(" ")).join("\n");
    if (text === shown) return;
    shown = text;
    list.replaceChildren(...rows.reverse().map(itemOf));
  };
  return { root: element("div", {}, form, list), refresh, focus: () => key.focus() };
}

function operationOf(what: string, mode: Mode, key: string, value: string): Operation | undefined {
  const type = OPERATIONS.find((one) => one === what);
  if (type === undefined || (key === "" && type !== "scan")) return undefined;
  return type === "put" ? { type, mode, key, value } : { type, mode, key };
}

type Row = readonly [end: string, asked: string, answer: string];

/** As it was known at that moment. */
function rowOf({ operation, beginUs, endUs, end, text }: Told, atUs: number): Row {
  const asked = `${clockText(beginUs)}  ${describeDeed(operation)}`;
  if (endUs === undefined || endUs > atUs) return ["open", asked, "…"];
  const took = `(${lengthText(endUs - beginUs)})`;
  if (end === "answered") return [end, asked, `${text} ${took}`];
  const what = end === "refused" ? "not done" : "nobody knows whether it was done";
  return [end, asked, `${what}: ${text} ${took}`];
}

const itemOf = ([end, asked, answer]: Row): HTMLElement =>
  element(
    "li",
    { "data-end": end },
    element("span", { class: "soft" }, asked),
    " ",
    element("b", {}, answer),
  );
