/** Light or dark: as the system has it, until somebody turns it over. */
import { button } from "./element.ts";

/** The button for it. `recolour` is called now and whenever colours have changed. */
export function themeButton(recolour: () => void): HTMLButtonElement {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const become = (theme: "light" | "dark"): void => {
    root.dataset["theme"] = theme;
    recolour();
  };
  const follow = (): void => become(dark.matches ? "dark" : "light");
  follow();
  dark.addEventListener("change", follow);
  return button("◐", "Light or dark", () =>
    become(root.dataset["theme"] === "dark" ? "light" : "dark"),
  );
}
