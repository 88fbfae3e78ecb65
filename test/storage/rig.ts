/**
 * Drives the storage machine against a simulated disk, for the tests of this room: hands inputs in,
 * performs writes when told to, crashes and opens again.
 */
import { Ticket } from "../../engine/base/ids.ts";
import { createWire } from "../../engine/base/wire.ts";
import type { GroupMark } from "../../engine/storage/lsm/types.ts";
import type { StorageState } from "../../engine/storage/state.ts";
import { open } from "../../engine/storage/open.ts";
import { step } from "../../engine/storage/storage.ts";
import { describeEffect, describeInput } from "../../engine/storage/describe.ts";
import type {
  Identity,
  LogRecord,
  Recovered,
  StorageConfig,
  StorageEffect,
  StorageInput,
} from "../../engine/storage/types.ts";
import type { Crash } from "../../sim/disk/disk.ts";
import { SimulatedDisk } from "../../sim/disk/disk.ts";
import type { Random } from "../../sim/disk/content.ts";
import { DEFAULT_LSM } from "../../engine/storage/lsm/config.ts";

export const IDENTITY: Identity = { cluster: 77n, store: 3 as Identity["store"] };
export const CONFIG: StorageConfig = {
  segmentBytes: 1 << 20,
  sliceBytes: 1 << 16,
  lsm: DEFAULT_LSM,
};

const LANES = ["log", "table"] as const;

export class Rig {
  readonly disk: SimulatedDisk;
  private readonly wire = createWire();
  readonly config: StorageConfig;
  readonly random: Random;
  state!: StorageState;
  recovered!: Recovered;
  /** Effects other than writes, since the last look. */
  seen: StorageEffect[] = [];
  /** Every input and effect, a line each. */
  transcript: string[] = [];
  durable = 0;
  #ticket = 0;

  constructor(
    config: StorageConfig = CONFIG,
    random: Random = () => 0.5,
    disk: SimulatedDisk = new SimulatedDisk(),
  ) {
    this.config = config;
    this.random = random;
    this.disk = disk;
  }

  /** Opens the directory as it is and takes its effects. Throws where it is damaged. */
  open(): Recovered {
    const result = open(this.disk, this.config, this.wire);
    if (!result.ok) throw new Error(`${result.file} at ${result.offset}: ${result.detail}`);
    this.state = result.state;
    this.recovered = result.recovered;
    this.#take(result.effects);
    return result.recovered;
  }

  /** A fresh directory that belongs to `IDENTITY`. */
  start(): this {
    this.open();
    this.input({ type: "identify", identity: IDENTITY, ticket: this.ticket() });
    return this.turn();
  }

  ticket(): Ticket {
    this.#ticket += 1;
    return Ticket(this.#ticket);
  }

  input(input: StorageInput): void {
    this.transcript.push(`> ${describeInput(input)}`);
    const { state, effects } = step(this.state, input);
    this.state = state;
    this.#take(effects);
  }

  /** Buffers records without ending the turn. */
  log(...records: LogRecord[]): Ticket {
    const ticket = this.ticket();
    this.input({ type: "log", ticket, records });
    return ticket;
  }

  /** Nothing is in the memtable: the marks alone are to become durable. */
  freeze(marks: readonly GroupMark[]): void {
    this.input({ type: "freeze", marks });
  }

  /** Ends the turn and performs everything that follows. */
  turn(): this {
    this.input({ type: "turn_ended" });
    return this.settle();
  }

  /** Finishes one write, of the log if there is one; false where none is waiting. */
  write(): boolean {
    const { waiting, running } = this.disk.tracks;
    const lane = LANES.find((each) => running.includes(each) || waiting.includes(each));
    if (lane === undefined) return false;
    if (!running.includes(lane)) this.disk.start(this.random, lane);
    this.input(this.disk.finish(this.random, lane));
    return true;
  }

  settle(): this {
    while (this.write());
    return this;
  }

  /** Crashes and opens again; the repairs are handed to the disk and not yet performed. */
  crash(kind: Crash = "power"): Recovered {
    for (const lane of this.disk.tracks.waiting) this.disk.start(this.random, lane);
    this.disk.crash(kind, this.random);
    this.transcript.push(`* crash: ${kind}`);
    this.seen = [];
    return this.open();
  }

  #take(effects: readonly StorageEffect[]): void {
    for (const effect of effects) {
      this.transcript.push(`< ${describeEffect(effect)}`);
      if (effect.type === "write") this.disk.submit(effect);
      else this.seen.push(effect);
      if (effect.type === "durable") this.durable = effect.ticket;
    }
  }
}
