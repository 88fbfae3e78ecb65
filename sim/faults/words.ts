/** Strikes in words, for stories and for schedules. */
import { unreachable } from "../../engine/base/assert.ts";
import { describeLatency } from "../network/latency.ts";
import { seconds } from "../trace/trace.ts";
import type { HoldStrike } from "./holds.ts";
import type { Strike } from "./strike.ts";

/** What happens to whom, and for how long. */
export function wordsOf(strike: Strike, lastsUs: number): string {
  const lasts = `for ${seconds(lastsUs)}`;
  switch (strike.type) {
    case "cut":
      return strike.shape === "links"
        ? `${strike.links.length} directed links are cut ${lasts}`
        : `partition (${strike.shape}) of ${listed(strike.nodes)} ${lasts}`;
    case "clog":
      return `the links from ${listed(strike.nodes.map(({ name }) => name))} stall`;
    case "flap": {
      const rhythm = `${seconds(strike.cutUs)} cut, ${seconds(strike.wholeUs)} whole`;
      return `links of ${listed(strike.nodes)} flap ${lasts}: ${rhythm}`;
    }
    case "swizzle":
      return `the links from ${listed(strike.nodes.map(({ name }) => name))} stall in turn ${lasts}`;
    case "rack": {
      const names = strike.servers.map(({ machine }) => machine).join(", ");
      return `${strike.rack} (${names}) loses its ${strike.loses} ${lasts}`;
    }
    case "trap": {
      const skipped = strike.skip === 0 ? "the first" : `${strike.skip} others and a`;
      return `${strike.machine} is to crash in a step, behind ${skipped} ${strike.after}`;
    }
    case "reconfigure": {
      const settings = Object.entries(strike.settings).map(([name, value]) => `${name} ${value}`);
      return `${strike.machine} is restarted in ${seconds(lastsUs)} with ${settings.join(", ")}`;
    }
    case "hold":
      return `${heldMessages(strike)} ${lasts}`;
    case "crash":
      return `${strike.machine} ${strike.power ? "loses power" : "crashes"} ${lasts}`;
    case "wipe":
      return `${strike.machine} loses its disk and comes back empty in ${seconds(lastsUs)}`;
    case "log_rot": {
      const place = `${strike.file} at ${strike.offset}`;
      return `${strike.machine}: ${place} rots, and it comes back empty in ${seconds(lastsUs)}`;
    }
    case "blackout":
      return `all servers lose power ${lasts}`;
    case "pause":
      return `${strike.machine} stands still ${lasts}`;
    case "pause_client":
      return `${strike.client} stands still ${lasts}`;
    case "betray": {
      const friends = strike.friends.map(({ machine }) => machine).join(", ");
      return (
        `${strike.leader} and ${strike.heirs.join(", ")} are cut apart; ${friends} will be restarted ` +
        `in ${seconds(strike.waitUs)} and be cut off from it too, ${lasts}`
      );
    }
    case "transfer_placement":
      return `the operator wants ${strike.member} to lead the placement driver`;
    case "transfer_region":
      return `the operator wants ${strike.store} to lead region ${strike.region}`;
    case "rearrange_region": {
      const { region, voters, learners } = strike;
      const others = learners.length === 0 ? "" : `, learners on ${learners.join(", ")}`;
      return `the operator wants region ${region} to have voters on ${voters.join(", ")}${others}`;
    }
    case "drain_store":
      return `the operator drains ${strike.store} ${lasts}`;
    case "clock_drift": {
      const { machine, millionths } = strike;
      const rate = `${millionths < 0 ? "slow" : "fast"} by ${Math.abs(millionths) / 10_000} %`;
      return `the clocks of ${machine} run ${rate}`;
    }
    case "clock_step":
      return `the wall clock of ${strike.machine} steps by ${seconds(strike.us)}`;
    case "clock_freeze":
      return `the wall clock of ${strike.machine} stands still ${lasts}`;
    case "slow_disk":
      return `the disk of ${strike.machine} is ${strike.times} times slower ${lasts}`;
    case "sticking_disk": {
      const stuck = `${seconds(strike.stuckUs)} in ${strike.percent} % of its operations`;
      return `the disk of ${strike.machine} is stuck for ${stuck} ${lasts}`;
    }
    case "failing_sync":
      return `the disk of ${strike.machine} fails its next sync`;
    case "failing_disk":
      return `the disk of ${strike.machine} fails ${strike.percent} % of its syncs ${lasts}`;
    case "refusing_disk":
      return `the disk of ${strike.machine} has no room for ${strike.percent} % of operations ${lasts}`;
    case "full_disk":
      return `the disk of ${strike.machine} has room for ${strike.roomBytes} bytes ${lasts}`;
    case "rot":
      return `${strike.machine}: a bit of ${strike.file} rots at ${strike.offset}`;
    case "bad_sector":
      return `${strike.machine}: the sector of ${strike.file} at ${strike.offset} cannot be read any more`;
    case "stray_write":
      return `${strike.machine}: the next write to a table lands in ${strike.file} at ${strike.offset}`;
    default:
      return unreachable(strike);
  }
}

function heldMessages({ messageType, sender, millionths, delay, maxCopies }: HoldStrike): string {
  const from = sender === undefined ? "" : ` from ${sender}`;
  const part = millionths === 1_000_000 ? "" : `${millionths / 10_000} % of `;
  const copies = maxCopies === 1 ? "" : `, up to ${maxCopies} times`;
  return `${part}messages "${messageType.trim()}"${from} are held (${describeLatency(delay)})${copies}`;
}

/** Servers by name, clients by their number. */
function listed(names: readonly string[]): string {
  const servers = names.filter((name) => name.includes(" "));
  const clients = names.length - servers.length;
  if (clients > 0) servers.push(`${clients} client${clients === 1 ? "" : "s"}`);
  return servers.join(", ");
}
