/** A server's look as tables, a row for each of its groups, and what differs, by group. */
import { formatTable } from "../cli/table.ts";
import type { Look } from "./look.ts";

/** What a region is, in a table of its own: these are longer than numbers. */
const DESCRIBING = ["epoch", "members", "range"];

/** Before what goes on in the next line. */
const INDENT = "    ";

/** The group's name and the field's, of `region.2.raft.term`: `region 2` and `term`. */
function placeOf(path: string): readonly [group: string, field: string] {
  const [, group = "", field = ""] = /^(region\.\d+)?\.?(.*)$/.exec(path) ?? [];
  // Two fields have one name: what Raft has given out, and what the region has done with it.
  const isRegions = group !== "" && field === "applied";
  const name = isRegions ? "done" : field.replace(/^raft\./, "");
  return [group.replace(".", " "), name];
}

type Fields = ReadonlyMap<string, string>;
type Groups = ReadonlyMap<string, Fields>;

/** What each group of `look` is: by the group's name, fields by theirs. */
function groupsOf(look: Look): Groups {
  const groups = new Map<string, Map<string, string>>();
  for (const [path, value] of look) {
    if (path === "status") continue;
    const [group, field] = placeOf(path);
    const fields = groups.get(group) ?? new Map<string, string>();
    groups.set(group, fields.set(field, value === "undefined" ? "-" : value));
  }
  return groups;
}

/** The status, and under it the groups as rows, cut at `columns`. */
export function tableOf(look: Look, columns: number): string {
  const groups = groupsOf(look);
  const known = [...new Set([...groups.values()].flatMap((group) => [...group.keys()]))];
  const table = (fields: readonly string[]): string => {
    if (fields.length === 0) return "";
    const rows = [...groups].map(([name, group]) => [
      name === "" ? "members" : name,
      ...fields.map((field) => group.get(field) ?? "-"),
    ]);
    const lines = formatTable(["", ...fields], rows)
      .trimEnd()
      .split("\n");
    return lines.map((line) => `${clipped(line, columns)}\n`).join("");
  };
  const describing = known.filter((field) => DESCRIBING.includes(field));
  const others = known.filter((field) => !DESCRIBING.includes(field));
  return `${look.get("status") ?? "down"}\n${table(others)}${table(describing)}`;
}

/** What `lookAt` tells of a server before and after: each of its groups that differs, by name. */
export function differences(name: string, before: Look, after: Look): readonly Difference[] {
  const [was, is] = [before, after].map(groupsOf) as [Groups, Groups];
  const told = (group: string): string => `${name} ${group}`.trimEnd();
  const status = [before, after].map((look) => look.get("status") ?? "down");
  const isSame = status[0] === status[1];
  const first = isSame ? [] : [{ of: name, fields: [`status ${status.join(" → ")}`] }];
  const gone = [...was.keys()]
    .filter((group) => !is.has(group))
    .map((group) => ({ of: told(group), fields: ["gone"] }));
  const others = [...is].flatMap(([group, fields]) => {
    const changed = changedFields(was.get(group), fields);
    return changed.length === 0 ? [] : [{ of: told(group), fields: changed }];
  });
  return [...first, ...gone, ...others];
}

/** `term 1 → 2`, and `new` before all fields where there was none. */
function changedFields(before: Fields | undefined, after: Fields): readonly string[] {
  if (before === undefined)
    return ["new", ...[...after].map(([field, value]) => `${field} ${value}`)];
  return [...after]
    .filter(([field, value]) => before.get(field) !== value)
    .map(([field, value]) => `${field} ${before.get(field) ?? "-"} → ${value}`);
}

export interface Difference {
  /** The server and its group. */
  readonly of: string;
  /** `term 1 → 2` */
  readonly fields: readonly string[];
}

/** Lines of at most `columns` characters; a field is cut only where it is longer than a line. */
export function differenceLines(
  { of, fields }: Difference,
  columns: number = Infinity,
): readonly string[] {
  const lines: string[] = [];
  let line = `${of}:`;
  fields.forEach((field, i) => {
    const text = ` ${field}${i < fields.length - 1 ? "," : ""}`;
    if (i > 0 && line.length + text.length > columns) {
      lines.push(line);
      line = INDENT;
    }
    line += line === INDENT ? text.slice(1) : text;
  });
  return [...lines, line].map((one) => clipped(one, columns));
}

/** The beginning of what is longer than a line. */
export const clipped = (line: string, columns: number): string =>
  line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
