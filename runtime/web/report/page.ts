/** The script of a report's page: a button beside every command copies it. */

/** For so long a button says what it has done. */
const SAID_MS = 1500;

for (const command of document.querySelectorAll<HTMLElement>("code.command")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.ariaLabel = `Copy ${command.textContent}`;
  button.addEventListener("click", () => void copy(command, button));
  command.after(button);
}

async function copy(command: HTMLElement, button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(command.textContent ?? "");
    button.textContent = "Copied";
  } catch {
    // Where the browser lends no clipboard, the text is selected: the usual key copies it.
    getSelection()?.selectAllChildren(command);
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = "Copy"), SAID_MS);
}
