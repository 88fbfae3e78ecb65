/**
 * Makes a copy of the built project with a bug in its engine. The working tree is never touched.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Edit, PlantedBug } from "./bug.ts";

export type Planted =
  | { readonly ok: true; readonly root: string; readonly remove: () => void }
  | { readonly ok: false; readonly reason: string };

/** Copies the project at `root`, applies the bug and compiles the copy's engine. */
export function plant(root: string, bug: PlantedBug): Planted {
  const copy = mkdtempSync(join(tmpdir(), `rutile-${bug.id}-`));
  const remove = (): void => rmSync(copy, { recursive: true, force: true });
  for (const part of ["engine", "dist", "tsconfig.base.json", "package.json"]) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  mkdirSync(join(copy, "tools"));
  cpSync(join(root, "tools/lib-es5"), join(copy, "tools/lib-es5"), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  for (const edit of bug.edits) {
    const reason = apply(copy, edit);
    if (reason !== undefined) {
      remove();
      return { ok: false, reason };
    }
  }
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const compiled = spawnSync(process.execPath, [tsc, "-p", "engine"], {
    cwd: copy,
    encoding: "utf8",
  });
  if (compiled.status !== 0) {
    remove();
    return { ok: false, reason: `does not compile: ${compiled.stdout}${compiled.stderr}` };
  }
  return { ok: true, root: copy, remove };
}

function apply(root: string, edit: Edit): string | undefined {
  const path = join(root, edit.file);
  const text = readFileSync(path, "utf8");
  const problem = problemOf(edit, text);
  if (problem === undefined)
    writeFileSync(
      path,
      text.replace(edit.find, () => edit.replace),
    );
  return problem;
}

/** Why `edit` can't be applied to its file's `text`, if it can't. */
export function problemOf(edit: Edit, text: string): string | undefined {
  const places = text.split(edit.find).length - 1;
  if (places === 1) return undefined;
  const found = places === 0 ? "does not stand" : `stands ${places} times`;
  return `${edit.file}: "${edit.find.trim().split("\n")[0]}" ${found} there`;
}
