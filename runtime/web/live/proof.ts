/** Runs a scenario here as Node does: the trace must be the same to the byte. */
import { button, element } from "../picture/element.ts";
import type { Live } from "./live.ts";
import type { Reply } from "./messages.ts";

export interface Proof {
  readonly root: HTMLElement;
  tell(proved: Extract<Reply, { type: "proved" }>): void;
}

/** `scenarios` are the names there are. */
export function proofPart(live: Live, scenarios: readonly string[]): Proof {
  const which = element(
    "select",
    { "aria-label": "Scenario" },
    ...scenarios.map((name) => element("option", { value: name }, name)),
  );
  which.value = "partitions";
  const seed = element("input", { type: "number", min: "0", value: "1", "aria-label": "Seed" });
  const out = element("output", { id: "proof", "aria-live": "polite" });
  const run = button("Run", "Run the scenario in this browser", () => {
    if (!/^\d{1,15}$/.test(seed.value)) {
      out.textContent = "The seed must be a whole number.";
      return;
    }
    out.textContent = "Running…";
    live.prove(which.value, seed.value);
  });
  const root = element(
    "div",
    {},
    element(
      "p",
      { class: "soft" },
      "A whole scenario in this browser. Node says the same trace, or one of them is wrong:",
    ),
    element("div", { class: "acts" }, which, seed, run),
    out,
  );
  return {
    root,
    tell: ({ scenario, seed: of, trace, events, verdict }) => {
      out.textContent =
        `${verdict} seed=${of} trace=${trace} events=${events}\n` +
        `npm run sim -- ${scenario} --seed ${of}`;
    },
  };
}
