/**
 * A bit of a store's log or manifest rots, and the store starts again. Behind the bit may lie what
 * it has acknowledged, so it must refuse to serve, and name the file and the damaged part. Whoever
 * runs it puts an empty disk in, as after a `wipe` and where the atlas allows one.
 *
 * What was written last to a file is spared: damaged, it cannot be told from what a loss of power
 * has torn, which is no promise broken.
 */
import { readExactly } from "../../engine/storage/damage.ts";
import type { FileName } from "../../engine/storage/disk.ts";
import { type FileKind, fileNumber } from "../../engine/storage/files.ts";
import { decodeHeader, HEADER_BYTES, readFrame } from "../../engine/storage/log/frame.ts";
import { TableCache } from "../../engine/storage/table/cache.ts";
import * as engine from "../../engine/store/index.ts";
import { passed, violated } from "../checkers/verdict.ts";
import { readClock } from "../clock/clock.ts";
import { crash, loseDisk, startLater } from "../machines/process.ts";
import type { StoreMachine, World } from "../model.ts";
import { below, pick, type Random } from "../random.ts";
import type { Struck } from "./strike.ts";
import { storeCalled } from "./targets.ts";
import { wipeable } from "./wipes.ts";

export interface LogRot {
  readonly type: "log_rot";
  readonly machine: string;
  readonly file: FileName;
  readonly offset: number;
  /** Which bit of the byte rots, from 0 to 7. */
  readonly bit: number;
}

export function drawLogRot(world: World, random: Random): LogRot | undefined {
  const candidates = wipeable(world, false).flatMap((machine) => {
    const places = placesOf(machine);
    return places.length > 0 ? [{ machine, places }] : [];
  });
  if (candidates.length === 0) return undefined;
  const { machine, places } = pick(random, candidates);
  const { file, end } = pick(random, places);
  const offset = below(random, end);
  return { type: "log_rot", machine: machine.name, file, offset, bit: below(random, 8) };
}

/** The store is back, empty, after `lastsUs`. */
export function rotLog(world: World, strike: LogRot, lastsUs: number): Struck | undefined {
  const machine = storeCalled(world, strike.machine);
  if (machine === undefined || !wipeable(world, false).includes(machine)) return undefined;
  if (!isPlace(machine, strike)) return undefined;
  crash(world, machine, "process");
  // What was under way in the crash may have taken the file away, or be in it and not synced.
  if (isPlace(machine, strike) && machine.disk.synced(strike.file)) {
    machine.disk.flip(strike.file, strike.offset, 1 << strike.bit);
    checkRefusal(world, machine, strike);
  }
  loseDisk(world, machine, "its log was damaged");
  startLater(world, machine, lastsUs);
  return { end: undefined };
}

/** What the store would say if it were started now. */
function checkRefusal(world: World, machine: StoreMachine, { file, offset }: LogRot): void {
  const { config, clock, disk, name } = machine;
  const tables = new TableCache(disk.observer(), config.cacheBytes);
  const opened = engine.open(tables, config, readClock(clock, world.timeUs));
  const damaged = `${file} is damaged at ${offset}`;
  if (opened.ok) {
    violated(world, "refused damage", `${name} opens its data, though ${damaged}`);
  } else if (opened.file !== file || opened.offset > offset) {
    const told = `${opened.file} at ${opened.offset}: ${opened.detail}`;
    violated(world, "refused damage", `${name} refuses its data for ${told}, but ${damaged}`);
  } else {
    passed(world, "refused damage");
  }
}

interface Place {
  readonly file: FileName;
  /** Where the last frame begins. */
  readonly end: number;
}

const isPlace = (machine: StoreMachine, { file, offset }: LogRot): boolean =>
  placesOf(machine).some((place) => place.file === file && offset < place.end);

/** What a start reads besides tables: all segments of the log, and the last manifest. */
function placesOf({ disk }: StoreMachine): readonly Place[] {
  const files = disk.list();
  const segments = files.filter((file) => fileNumber("log", file) !== undefined);
  const manifests = files.filter((file) => fileNumber("manifest", file) !== undefined);
  return [
    ...segments.flatMap((file) => placeIn(disk, "log", file)),
    ...manifests.slice(-1).flatMap((file) => placeIn(disk, "manifest", file)),
  ];
}

function placeIn(disk: StoreMachine["disk"], kind: FileKind, file: FileName): Place[] {
  const read = readExactly(disk.observer(), file, 0, disk.size(file) ?? 0);
  const head = read.ok ? decodeHeader(kind, read.bytes) : undefined;
  if (!read.ok || !head?.ok) return [];
  let end = 0;
  for (let at = HEADER_BYTES; ;) {
    const frame = readFrame(head.seed, read.bytes, at);
    if (frame.type !== "frame") break;
    end = at;
    at = frame.end;
  }
  return end > HEADER_BYTES ? [{ file, end }] : [];
}
