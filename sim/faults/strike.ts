/**
 * A strike is one blow of a fault, as plain data: whom it hits and how hard. It is drawn from the
 * world as it is at that moment, and dealt. What is dealt may as well come from a file or from a
 * person; where it makes no sense any more (the machine is down, the file is gone) nothing happens.
 */
import type { TimedFault } from "../scenario.ts";
import type { World } from "../model.ts";
import type { Random } from "../random.ts";
import { unreachable } from "../../engine/base/assert.ts";
import { noteFault } from "../film/fault.ts";
import { narrate } from "../trace/trace.ts";
import { type Betrayal, betray, drawBetrayal } from "./betrayal.ts";
import { type ClockStrike, disturbClock, drawClock } from "./clocks.ts";
import { type DiskStrike, disturbDisk, drawDisk } from "./disks.ts";
import { drawHold, drawTransactionalHold, hold, type HoldStrike } from "./holds.ts";
import { later } from "./later.ts";
import {
  drain,
  drawDrain,
  drawRearrangement,
  drawTransfer,
  type Order,
  rearrange,
  transfer,
} from "./orders.ts";
import {
  type CutStrike,
  type ClogStrike,
  clogLinks,
  cutLinks,
  drawClog,
  drawPartition,
} from "./partitions.ts";
import {
  blackOut,
  crashOne,
  drawBlackout,
  drawCrash,
  drawPause,
  drawPausedClient,
  pauseClient,
  pauseOne,
  type ProcessStrike,
} from "./processes.ts";
import {
  drawFlapping,
  drawSwizzle,
  flap,
  type Flapping,
  swizzle,
  type Swizzle,
} from "./flapping.ts";
import { drawRack, type RackStrike, strikeRack } from "./racks.ts";
import { drawReconfiguration, reconfigure, type Reconfiguration } from "./reconfigure.ts";
import { damage, type DamageStrike, drawDamage } from "./rot.ts";
import { drawTrap, layTrap, type TrapStrike } from "./traps.ts";
import { drawLogRot, type LogRot, rotLog } from "./log-rot.ts";
import { drawWipe, type Wipe, wipe } from "./wipes.ts";
import { wordsOf } from "./words.ts";

export type Strike =
  | CutStrike
  | ClogStrike
  | HoldStrike
  | ProcessStrike
  | Betrayal
  | Order
  | ClockStrike
  | DiskStrike
  | DamageStrike
  | Wipe
  | LogRot
  | Flapping
  | Swizzle
  | RackStrike
  | TrapStrike
  | Reconfiguration;

/** How a strike that was dealt is taken back. */
export interface Struck {
  /** Undefined where it ends by itself. */
  readonly end: (() => void) | undefined;
}

/** Draws whom a fault strikes now; undefined where there is nobody to strike. */
export function drawStrike(
  world: World,
  fault: TimedFault,
  lastsUs: number,
  random: Random,
): Strike | undefined {
  switch (fault.type) {
    case "partition":
    case "links":
      return drawPartition(world, fault, random);
    case "clog":
      return drawClog(world, fault.among, lastsUs, random);
    case "flap":
      return drawFlapping(world, fault.among, random);
    case "swizzle":
      return drawSwizzle(world, fault.among, lastsUs, random);
    case "rack":
      return drawRack(world, random);
    case "trap":
      return drawTrap(world, fault.of, random);
    case "reconfigure":
      return drawReconfiguration(world, fault.of, random);
    case "hold":
      return drawHold(world, fault, random);
    case "hold_transactions":
      return drawTransactionalHold(fault, random);
    case "crash":
      return drawCrash(world, fault, random);
    case "wipe":
      return drawWipe(world, fault.regardless, random);
    case "log_rot":
      return drawLogRot(world, random);
    case "blackout":
      return drawBlackout(world, lastsUs, random);
    case "betray":
      return drawBetrayal(world, random);
    case "pause":
      return drawPause(world, fault.of, random);
    case "pause_client":
      return drawPausedClient(world, random);
    case "transfer_leader":
      return drawTransfer(world, random);
    case "rearrange_region":
      return drawRearrangement(world, random);
    case "drain_store":
      return drawDrain(world, random);
    case "clock_drift":
    case "clock_step":
    case "clock_freeze":
      return drawClock(world, fault.type, random);
    case "slow_disk":
    case "sticking_disk":
    case "failing_disk":
    case "full_disk":
      return drawDisk(world, fault, random);
    case "damage":
      return drawDamage(world, fault.kinds, random);
    default:
      return unreachable(fault);
  }
}

/**
 * Deals a strike for `lastsUs`, tells of it, and has it taken back. `name` is that of the decision
 * that led to it. False where there was nothing to strike.
 */
export function deal(world: World, name: string, strike: Strike, lastsUs: number): boolean {
  const { timeUs, trace } = world;
  const struck = struckBy(world, strike, lastsUs);
  if (struck === undefined) return false;
  const text = wordsOf(strike, lastsUs);
  narrate(trace, timeUs, "fault", text);
  noteFault(world, strike.type, text, lastsUs);
  if (struck.end !== undefined) later(world, lastsUs, `end of ${strike.type}`, struck.end);
  world.decisions.takes?.strikes.push({ name, atUs: timeUs, lastsUs, strike });
  return true;
}

function struckBy(world: World, strike: Strike, lastsUs: number): Struck | undefined {
  switch (strike.type) {
    case "cut":
      return cutLinks(world, strike);
    case "clog":
      return clogLinks(world, strike);
    case "flap":
      return flap(world, strike, lastsUs);
    case "swizzle":
      return swizzle(world, strike);
    case "rack":
      return strikeRack(world, strike, lastsUs);
    case "trap":
      return layTrap(world, strike);
    case "reconfigure":
      return reconfigure(world, strike, lastsUs);
    case "hold":
      return hold(world, strike);
    case "crash":
      return crashOne(world, strike, lastsUs);
    case "wipe":
      return wipe(world, strike, lastsUs);
    case "log_rot":
      return rotLog(world, strike, lastsUs);
    case "blackout":
      return blackOut(world, strike);
    case "pause":
      return pauseOne(world, strike);
    case "pause_client":
      return pauseClient(world, strike, lastsUs);
    case "betray":
      return betray(world, strike, lastsUs);
    case "transfer_region":
    case "transfer_placement":
      return transfer(world, strike);
    case "rearrange_region":
      return rearrange(world, strike);
    case "drain_store":
      return drain(world, strike);
    case "clock_drift":
    case "clock_step":
    case "clock_freeze":
      return disturbClock(world, strike);
    case "slow_disk":
    case "sticking_disk":
    case "failing_disk":
    case "failing_sync":
    case "refusing_disk":
    case "full_disk":
      return disturbDisk(world, strike);
    case "rot":
    case "bad_sector":
    case "stray_write":
      return damage(world, strike);
    default:
      return unreachable(strike);
  }
}
