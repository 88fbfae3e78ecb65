/** Builds another cluster: how many of what, which network, which seed. */
import { describeLatency } from "../../../sim/network/latency.ts";
import { CALM } from "../../../sim/network/network.ts";
import { NETWORKS } from "../../../sim/knobs.ts";
import { type ClusterPlan, FIRST_PLAN, LIMITS, readPlan } from "../../../sim/live/play.ts";
import { button, element } from "../picture/element.ts";
import type { Live } from "./live.ts";

/** When a new cluster is first looked at: its leaders are elected by then. */
export const WARM_US = 1_500_000;

const TEXTS: Readonly<Record<keyof ClusterPlan, string>> = {
  stores: "stores",
  members: "members of the placement driver (1, 3 or 5)",
  clients: "clients that read and write by themselves",
  network: "network",
  seed: "seed",
};

export function builder(live: Live): { dialog: HTMLDialogElement; open: () => void } {
  const fields = new Map<keyof ClusterPlan, HTMLInputElement | HTMLSelectElement>();
  const rows = (Object.keys(TEXTS) as (keyof ClusterPlan)[]).map((name) => {
    const [least, most] = LIMITS[name];
    const field =
      name === "network"
        ? networks()
        : element("input", { type: "number", min: String(least), max: String(most), name });
    fields.set(name, field);
    return element("label", { class: "wide" }, element("span", {}, TEXTS[name]), field);
  });
  const problem = element("p", { class: "bad", role: "alert" });
  const form = element(
    "form",
    {},
    element("h2", {}, "Build a cluster"),
    ...rows,
    problem,
    element(
      "div",
      { class: "acts" },
      element("button", { type: "submit" }, "Build"),
      button("Cancel", "Cancel", () => dialog.close()),
    ),
  );
  form.noValidate = true;
  const dialog = element("dialog", { "aria-label": "Build a cluster" }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = [...fields].map(([name, { value }]) => [name, value === "" ? NaN : Number(value)]);
    const plan = readPlan(Object.fromEntries(said));
    if (typeof plan === "string") {
      problem.textContent = plan;
      return;
    }
    dialog.close();
    live.begin({ cluster: plan, actions: [] }, WARM_US, true);
  });
  const open = (): void => {
    problem.textContent = "";
    const { cluster } = live.play();
    for (const [name, field] of fields) field.value = String(cluster[name] ?? FIRST_PLAN[name]);
    dialog.showModal();
  };
  return { dialog, open };
}

function networks(): HTMLSelectElement {
  const options = [CALM, ...NETWORKS].map((profile, i) => {
    const { latency, loss, duplication, ordered, bytesPerMs } = profile;
    const parts = [
      i === 0 ? `calm: ${describeLatency(latency)}` : describeLatency(latency),
      loss > 0 ? `${loss / 10_000} % lost` : "",
      duplication > 0 ? `${duplication / 10_000} % doubled` : "",
      ordered ? "" : "overtaking",
      bytesPerMs > 0 ? `${bytesPerMs} KB/s` : "",
    ];
    const text = parts.filter((part) => part !== "").join(", ");
    return element("option", { value: String(i) }, text);
  });
  return element("select", { name: "network" }, ...options);
}
