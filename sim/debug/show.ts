/** A server's look as a table, a row for each of its groups, and what differs, a line for each. */
import type { Look } from "./look.ts";

/** The group's name and the field's, of `region.2.raft.term`: `region 2` and `term`. */
function placeOf(path: string): readonly [group: string, field: string] {
  const [, group = "", field = ""] = /^(region\.\d+)?\.?(.*)$/.exec(path) ?? [];
  // Two fields have one name: what Raft has given out, and what the region has done with it.
  const isRegions = group !== "" && field === "applied";
  const name = isRegions ? "done" : field.replace(/^raft\./, "");
  return [group.replace(".", " "), name];
}

/** What each group of `look` is: by the group's name, fields by theirs. */
function groupsOf(look: Look): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  for (const [path, value] of look) {
    if (path === "status") continue;
    const [group, field] = placeOf(path);
    const fields = groups.get(group) ?? new Map<string, string>();
    groups.set(group, fields.set(field, value === "undefined" ? "-" : value));
  }
  return groups;
}

/** The status, and under it the groups as rows with aligned columns. */
export function tableOf(look: Look): string {
  const status = `${look.get("status") ?? "down"}\n`;
  const groups = groupsOf(look);
  const fields = [...new Set([...groups.values()].flatMap((group) => [...group.keys()]))];
  if (fields.length === 0) return status;
  const rows = [...groups].map(([name, group]) => [
    name === "" ? "members" : name,
    ...fields.map((field) => group.get(field) ?? "-"),
  ]);
  return status + aligned([["", ...fields], ...rows]);
}

/** What `lookAt` tells of a server before and after; a line for each of its groups that differs. */
export function differenceLines(name: string, before: Look, after: Look): readonly string[] {
  const changes = new Map<string, string[]>();
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is) continue;
    const [group, field] = placeOf(path);
    const list = changes.get(group) ?? [];
    changes.set(group, [...list, `${field} ${was ?? "nothing"} → ${is ?? "nothing"}`]);
  }
  return [...changes].map(
    ([group, list]) =>
      `${[name, group].filter((text) => text !== "").join(" ")}: ${list.join(", ")}`,
  );
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
