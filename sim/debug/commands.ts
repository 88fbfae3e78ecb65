/** The commands of a debugger: a line in, text out. */
import { seconds, formatLine } from "../trace/trace.ts";
import { eventsUntil, momentAt } from "./chronicle.ts";
import { describeDeed } from "../live/deed.ts";
import { wordsOfEvent } from "../trace/label.ts";
import { branchOf, branchOff, type Debugger, tellBranches } from "./branches.ts";
import { lookAt } from "./look.ts";
import { ORDERS, readOrder } from "./orders.ts";
import { pendingAt } from "./pending.ts";
import type { Session } from "./session.ts";
import { clipped, differenceLines, differences, tableOf } from "./show.ts";

export const HELP = `step [N]         N events on (s)
back [N]         N events back (b)
goto EVENT|TIME  to a moment: "goto 5000", "goto 2.5s" (g)
next TEXT        to the next event whose words contain TEXT (n)
prev TEXT        to the last one before (p)
violation        to the first violation, or the end of the run (v)
where            the moment and its event (w)
nodes            every server in a line
node NAME        a server's groups and their ranges, as in "node store 1"
diff A [B]       what differs in servers after the events A and B, or A and now
pending [TEXT]   what is on its way, without deadlines; or all with TEXT (e)
log [N]          the last lines of the story (l)
do ORDER         changes one thing here and goes on in another timeline
do               lists the orders
branches         the timelines
branch N         goes to another one
quit             (q)
`;

/** Lines of `pending`. */
const MOST_PENDING = 40;

const SHORT: Readonly<Record<string, string>> = {
  s: "step",
  b: "back",
  g: "goto",
  n: "next",
  p: "prev",
  v: "violation",
  w: "where",
  e: "pending",
  l: "log",
};

export function promptOf(debug: Debugger): string {
  const { at, chronicle } = branchOf(debug).session;
  const timeline = debug.branches.length === 1 ? "" : ` (${debug.current + 1})`;
  return `${seconds(chronicle.timesUs[at - 1] ?? 0)} #${at}${timeline}> `;
}

/** The command that begins like a word that is none, as a guess. */
function meant(word: string): string {
  const known = [...HELP.matchAll(/^([a-z]+)/gm)].map(([, name]) => name as string);
  const guess = known.find((name) => name.startsWith(word.slice(0, 2)));
  return guess === undefined ? "" : `, did you mean "${guess}"?`;
}

/** What a command says. Lists and tables keep to lines of `columns` characters. */
export async function answer(
  debug: Debugger,
  line: string,
  columns: number = Infinity,
): Promise<string> {
  const { session } = branchOf(debug);
  const [word = "", ...rest] = line.trim().split(/\s+/);
  const argument = rest.join(" ");
  const name = SHORT[word] ?? word;
  const count = /^\d{1,9}$/.test(argument) ? Number(argument) : undefined;
  switch (name) {
    case "":
      return "";
    case "help":
      return HELP;
    case "step":
    case "back": {
      if (argument !== "" && count === undefined) return `${name}: not a count: ${argument}\n`;
      return go(session, session.at + (name === "step" ? 1 : -1) * (count ?? 1));
    }
    case "goto":
      return goTo(session, argument);
    case "next":
    case "prev":
      return argument === "" ? `${name}: which event?\n` : seek(session, argument, name === "next");
    case "violation":
      return go(session, Infinity);
    case "where":
      return where(session);
    case "nodes":
      return nodes(session);
    case "node":
      return node(session, argument, columns);
    case "diff":
      return diff(session, rest, columns);
    case "pending":
      return pending(session, argument, columns);
    case "log":
      return log(session, count ?? 10);
    case "do":
      return change(debug, argument);
    case "branches":
      return tellBranches(debug);
    case "branch":
      return turnTo(debug, count);
    default:
      return `unknown command "${word}"${meant(word)}; "help" lists them\n`;
  }
}

async function go(session: Session, event: number): Promise<string> {
  await session.reach(event);
  session.at = Math.min(Math.max(event, 0), session.chronicle.events.length);
  return where(session);
}

async function goTo(session: Session, argument: string): Promise<string> {
  if (/^\d{1,9}$/.test(argument)) return go(session, Number(argument));
  if (!/^\d+(\.\d+)?s$/.test(argument)) return `goto: an event, or a time like 2.5s\n`;
  const timeUs = Number(argument.slice(0, -1)) * 1_000_000;
  const { chronicle } = session;
  while (session.result === undefined && (chronicle.timesUs.at(-1) ?? 0) <= timeUs) {
    await session.reach(chronicle.events.length + 1000);
  }
  return go(session, eventsUntil(chronicle, timeUs));
}

async function seek(session: Session, text: string, forward: boolean): Promise<string> {
  const { events } = session.chronicle;
  const by = forward ? 1 : -1;
  for (let at = session.at + by; at > 0; at += by) {
    if (at > events.length) await session.reach(events.length + 1000);
    if (at > events.length) break;
    if (describe(session, at).includes(text)) return go(session, at);
  }
  return `no ${forward ? "further" : "earlier"} event with "${text}"\n`;
}

function where(session: Session): string {
  const { at, chronicle, result } = session;
  const isLast = result !== undefined && at === chronicle.events.length;
  const end = !isLast
    ? ""
    : result.violation === undefined
      ? "the run ends here\n"
      : `violated: ${result.violation.check}: ${result.violation.text}\n`;
  return `${seconds(chronicle.timesUs[at - 1] ?? 0)} #${at} ${describe(session, at)}\n${end}`;
}

function describe({ chronicle, world }: Session, at: number): string {
  const event = chronicle.events[at - 1];
  return event === undefined ? "the beginning" : wordsOfEvent(world, event);
}

/**
 * What is on its way, the next first; only what has `text` in its words. Without one, deadlines of
 * calls are left out and counted: most of them come to calls that were answered long ago.
 */
function pending(session: Session, text: string, columns: number): string {
  const { chronicle, world, at } = session;
  const all = pendingAt(chronicle, world, at);
  const told = text === "" ? all.filter(({ event }) => event.type !== "deadline") : all;
  const lines = told
    .map(({ timeUs, event }) => `${seconds(timeUs)} ${wordsOfEvent(world, event)}`)
    .filter((line) => line.includes(text));
  const shown = lines.slice(0, MOST_PENDING).map((line) => clipped(line, columns));
  if (lines.length > MOST_PENDING) shown.push(`… ${lines.length - MOST_PENDING} more`);
  const deadlines = all.length - told.length;
  if (deadlines > 0) shown.push(`… and ${deadlines} deadlines ("pending deadline")`);
  if (shown.length === 0) shown.push(text === "" ? "nothing" : `nothing with "${text}"`);
  return shown.map((line) => `${line}\n`).join("");
}

async function change(debug: Debugger, words: string): Promise<string> {
  if (words === "") return ORDERS;
  const { world } = branchOf(debug).session;
  const names = [...world.servers, ...world.clients].map(({ name }) => name);
  const deed = readOrder(words, names);
  if (typeof deed === "string") return `do: ${deed}\n${ORDERS}`;
  const repeated = await branchOff(debug, deed);
  const warning = repeated ? "" : "the run has not repeated itself: it is not deterministic\n";
  return `${warning}timeline ${debug.branches.length}: ${describeDeed(deed)}\n`;
}

function turnTo(debug: Debugger, number: number | undefined): string {
  if (number === undefined || debug.branches[number - 1] === undefined) {
    return `branch: timelines 1 to ${debug.branches.length}\n`;
  }
  debug.current = number - 1;
  return where(branchOf(debug).session);
}

const nodes = ({ world, chronicle, at }: Session): string =>
  world.servers
    .map(({ name, node: number }) => {
      const look = lookAt(momentAt(chronicle, number, at));
      const leads = [...look].filter(([path, v]) => path.endsWith(".role") && v === "leader");
      const led = leads.map(([path]) => path.replace(/\.?raft\.role$/, "") || "members");
      const text = led.length === 0 ? "" : `  leads ${led.join(" ")}`;
      return `${name.padEnd(12)} ${look.get("status") ?? ""}${text}\n`;
    })
    .join("");

function node({ world, chronicle, at }: Session, name: string, columns: number): string {
  const machine = world.servers.find((server) => server.name === name);
  if (machine === undefined) {
    return `no server "${name}": ${world.servers.map((server) => server.name).join(" ")}\n`;
  }
  const look = lookAt(momentAt(chronicle, machine.node, at));
  return `${name} ${tableOf(look, columns)}`;
}

function diff(
  { world, chronicle, at }: Session,
  words: readonly string[],
  columns: number,
): string {
  const [from, to = at] = words.map(Number);
  const known = chronicle.events.length;
  if (from === undefined || !(from >= 0 && from <= known && to >= 0 && to <= known)) {
    return `diff: events from 0 to ${known}\n`;
  }
  const lines = world.servers
    .flatMap(({ name, node: number }) => {
      const [before, after] = [from, to].map((event) => momentAt(chronicle, number, event));
      return differences(name, lookAt(before), lookAt(after));
    })
    .flatMap((difference) => differenceLines(difference, columns));
  return lines.length === 0 ? "nothing differs\n" : lines.map((line) => `${line}\n`).join("");
}

function log({ world, chronicle, at }: Session, count: number): string {
  const untilUs = chronicle.timesUs[at - 1] ?? 0;
  const lines = world.trace.lines.filter(({ timeUs }) => timeUs <= untilUs);
  return lines
    .slice(Math.max(0, lines.length - count))
    .map((l) => `${formatLine(l)}\n`)
    .join("");
}
