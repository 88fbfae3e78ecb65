/**
 * An owner of a store as small as can be, and beside it the naive model: what was logged, in order,
 * and maps that it makes. Each region has the keys that begin with its letter.
 */
import * as assert from "uvu/assert";
import { Key } from "../../../engine/base/bytes.ts";
import { LogIndex, RegionId, Term } from "../../../engine/base/ids.ts";
import type { Ticket } from "../../../engine/base/ids.ts";
import type { DiskOperation } from "../../../engine/storage/disk.ts";
import type { GroupMark } from "../../../engine/storage/lsm/types.ts";
import { stackView } from "../../../engine/storage/lsm/reading/view.ts";
import { Workspace } from "../../../engine/storage/lsm/workspace.ts";
import { reserve, stackOf, withMemtable } from "../../../engine/storage/state.ts";
import { tableFile } from "../../../engine/storage/table/file.ts";
import type { TableMeta } from "../../../engine/storage/table/types.ts";
import { COLUMN_FAMILIES } from "../../../engine/storage/types.ts";
import type {
  KvOperation,
  LogRecord,
  Recovered,
  RecoveredGroup,
} from "../../../engine/storage/types.ts";
import type { Crash } from "../../../sim/disk/disk.ts";
import { append, bytes, compact, destroy, entry, hardState, restore } from "../records.ts";
import { compare, contentOf } from "./content.ts";
import type { Content, Event, Logged, Op } from "./content.ts";
import type { TreeRig } from "./rig.ts";

/** Says in the log which ticket was the last: `commit` of this group's hard state. */
const CLOCK = 99;

interface Region {
  applied: number;
  /** Logged, durable or not. */
  last: number;
  alive: boolean;
}

/** A snapshot of a region as another store would send it. */
interface Parcel {
  readonly content: Content;
  readonly files: readonly { readonly meta: TableMeta; readonly bytes: Uint8Array }[];
}

export const startOf = (region: number): Key => Key(String.fromCharCode(96 + region));
export const endOf = (region: number): Key => Key(String.fromCharCode(97 + region));

export class Owner {
  readonly rig: TreeRig;
  logged: Logged[] = [];
  regions: Map<number, Region> = new Map();
  /** Highest applied index that was reported durable. */
  readonly flushed: Map<number, number> = new Map();
  readonly parcels: Map<number, Parcel> = new Map();
  receiving:
    { readonly region: number; readonly ticket: Ticket; readonly parcel: Parcel } | undefined;
  restores = 0;
  extracting: Map<Ticket, { readonly region: number }> = new Map();
  /** Of all that was logged. */
  #tickets: Ticket[] = [];

  constructor(rig: TreeRig) {
    this.rig = rig;
  }

  /** Logs an entry; it is applied when it is durable. */
  write(region: number, ops: readonly Op[]): void {
    const state = this.region(region);
    if (!state.alive) return;
    const index = state.last + 1;
    state.last = index;
    const record = append(region, [entry(index, 1, JSON.stringify(ops))]);
    this.log(region, { type: "entry", index, ops }, record);
  }

  /** The memtable becomes a layer. */
  freeze(): void {
    this.rig.input({ type: "freeze", marks: this.marks() });
  }

  turn(): void {
    this.rig.input({ type: "turn_ended" });
  }

  /** The replica goes, and its data with it. */
  destroy(region: number): void {
    const state = this.region(region);
    if (!state.alive || state.last === 0) return;
    this.edit((workspace) => clear(workspace, region));
    state.alive = false;
    state.applied = 0;
    this.log(region, { type: "destroy" }, destroy(region));
  }

  /** Asks for tables of the region, for a parcel. */
  extract(region: number): void {
    const state = this.region(region);
    if (!state.alive || state.applied === 0) return;
    this.freeze();
    const ticket = this.rig.ticket();
    this.extracting.set(ticket, { region });
    const [start, end] = [startOf(region), endOf(region)];
    this.rig.input({ type: "extract", ticket, region: RegionId(region), start, end });
  }

  /** Receives a parcel of the region, in files of its own. */
  receive(region: number): void {
    const parcel = this.parcels.get(region);
    if (parcel === undefined || this.receiving !== undefined) return;
    const operations: DiskOperation[] = [];
    const files = parcel.files.map(({ meta, bytes: content }) => {
      const reserved = reserve(this.rig.state);
      this.rig.state = reserved.state;
      const file = tableFile(reserved.number);
      const half = content.length >> 1;
      operations.push(
        { type: "create", file },
        { type: "append", file, bytes: content.slice(0, half) },
        { type: "append", file, bytes: content.slice(half) },
        { type: "sync", file },
      );
      return { meta: { ...meta, number: reserved.number }, bytes: content };
    });
    operations.push({ type: "sync_directory" });
    const ticket = this.rig.ticket();
    this.receiving = { region, ticket, parcel: { ...parcel, files } };
    this.rig.input({ type: "files", ticket, operations });
  }

  /** Takes what the machine has said since the last time. */
  look(): void {
    for (const effect of this.rig.seen.splice(0)) {
      switch (effect.type) {
        case "durable":
          this.apply(effect.ticket);
          break;
        case "flushed":
          for (const mark of effect.marks) this.onFlushed(mark);
          break;
        case "extracted":
          this.pack(effect.ticket, effect.mark, effect.tables);
          break;
        case "extract_failed":
          this.extracting.delete(effect.ticket);
          break;
        case "files_written":
          this.install();
          break;
        default:
          break;
      }
    }
  }

  crash(kind: Crash): void {
    this.look();
    const { acknowledged } = this;
    this.recover(this.rig.crash(kind), acknowledged);
  }

  /** An owner of a copy of the disk, on which it has logged and heard the same. */
  heir(rig: TreeRig): Owner {
    const heir = new Owner(rig);
    heir.logged = [...this.logged];
    heir.#tickets = [...this.#tickets];
    for (const [region, index] of this.flushed) heir.flushed.set(region, index);
    return heir;
  }

  /** The last ticket that was reported durable. */
  get acknowledged(): number {
    const { durable } = this.rig;
    return this.#tickets.findLast((ticket) => ticket <= durable) ?? 0;
  }

  /** Brings everything back from `recovered`, and checks it against the model. */
  recover(recovered: Recovered, acknowledged: number): void {
    this.extracting = new Map();
    this.receiving = undefined;
    const clock = recovered.groups.find(({ region }) => region === CLOCK);
    const last = clock?.hardState.commit ?? 0;
    assert.ok(last >= acknowledged, `ticket ${acknowledged} was acknowledged, ${last} came back`);
    this.logged = this.logged.filter(({ ticket }) => ticket <= last);
    this.regions = new Map();
    const marks = new Map(recovered.marks.map((mark) => [Number(mark.region), mark]));
    for (const [region, index] of this.flushed) {
      const applied = marks.get(region)?.applied ?? 0;
      const gone = this.isGone(region) || this.restoredAt(region) > index;
      assert.ok(applied >= index || gone, `region ${region} was flushed at ${index}: ${applied}`);
    }
    for (const mark of marks.values()) {
      const state = this.region(mark.region);
      state.applied = mark.applied;
      state.last = mark.applied;
      state.alive = mark.applied > 0;
    }
    const plain = recovered.groups.filter(({ restored }) => restored === undefined);
    const restored = recovered.groups.filter((group) => group.restored !== undefined);
    for (const group of plain) if (group.region !== CLOCK) this.revive(group);
    for (const group of restored) {
      const { metadata, tables } = group.restored!;
      this.ingest(group.region, metadata.index, tables);
      this.revive(group);
    }
    this.check();
  }

  /** What is read is what the model holds. */
  check(): void {
    const applied = new Map([...this.regions].map(([region, state]) => [region, state]));
    const model = contentOf(this.logged, applied);
    compare(stackView(stackOf(this.rig.state), this.rig.tables), model);
    assert.equal(this.rig.tables.takeDamage(), []);
  }

  region(region: number): Region {
    const known = this.regions.get(region);
    if (known !== undefined) return known;
    const fresh = { applied: 0, last: 0, alive: true };
    this.regions.set(region, fresh);
    return fresh;
  }

  marks(): readonly GroupMark[] {
    return [...this.regions]
      .filter(([, { applied, alive }]) => applied > 0 || !alive)
      .map(([region, { applied }]) => markOf(region, applied))
      .sort((a, b) => a.region - b.region);
  }

  private log(region: number, event: Event, record: LogRecord): void {
    const ticket = this.rig.ticket();
    this.logged.push({ ticket, region, event });
    this.send(ticket, record);
  }

  private send(ticket: Ticket, record: LogRecord): void {
    this.#tickets.push(ticket);
    const records = [record, append(CLOCK, [], hardState(1, 1, ticket))];
    this.rig.input({ type: "log", ticket, records });
  }

  private edit(change: (workspace: Workspace) => void): void {
    const { rig } = this;
    const workspace = new Workspace(stackOf(rig.state), rig.tables);
    change(workspace);
    rig.state = withMemtable(rig.state, workspace.done());
  }

  /** Applies what has become durable. */
  private apply(durable: Ticket): void {
    for (const { ticket, region, event } of this.logged) {
      if (ticket > durable || event.type !== "entry") continue;
      const state = this.region(region);
      // What was logged before the replica went, or was replaced, is not its own any more.
      if (!state.alive || event.index !== state.applied + 1 || this.isOld(ticket, region)) continue;
      this.edit((workspace) => perform(workspace, event.ops));
      state.applied = event.index;
    }
  }

  private isOld(ticket: Ticket, region: number): boolean {
    return this.logged.some(
      (other) => other.region === region && other.ticket > ticket && other.event.type !== "entry",
    );
  }

  private isGone(region: number): boolean {
    const event = this.logged.findLast(
      (other) => other.region === region && other.event.type !== "entry",
    )?.event;
    return event?.type === "destroy";
  }

  private restoredAt(region: number): number {
    let index = 0;
    for (const { region: other, event } of this.logged) {
      if (other === region && event.type === "restore") index = event.index;
    }
    return index;
  }

  private onFlushed({ region, applied }: GroupMark): void {
    const known = this.flushed.get(region) ?? 0;
    assert.ok(applied === 0 || applied >= known, `region ${region} went back to ${applied}`);
    this.flushed.set(region, applied);
    const state = this.region(region);
    if (!state.alive || applied === 0 || applied < this.restoredAt(region)) return;
    this.send(this.rig.ticket(), compact(region, applied));
  }

  private pack(ticket: Ticket, mark: GroupMark, tables: readonly TableMeta[]): void {
    const asked = this.extracting.get(ticket);
    assert.ok(asked !== undefined && asked.region === mark.region);
    this.extracting.delete(ticket);
    const content = contentOf(this.logged, new Map([[mark.region, { applied: mark.applied }]]));
    const files = tables.map((meta) => {
      const read = this.rig.disk.read(tableFile(meta.number), 0, meta.size);
      if (!read.ok) throw new Error(read.reason);
      return { meta, bytes: read.bytes };
    });
    assert.is(tables.length, COLUMN_FAMILIES.length);
    this.parcels.set(mark.region, { content, files });
    this.rig.input({ type: "release", ticket });
  }

  /** What was received replaces the region. */
  private install(): void {
    const { region, parcel } = this.receiving!;
    this.receiving = undefined;
    const tables = parcel.files.map(({ meta }) => meta);
    const index =
      Math.max(...this.logged.map(({ event }) => ("index" in event ? event.index : 0))) + 5;
    this.restores += 1;
    this.log(
      region,
      { type: "restore", index, content: parcel.content },
      restore(region, index, 1, "chunk", tables),
    );
    this.ingest(region, index, tables);
  }

  private ingest(region: number, index: number, tables: readonly TableMeta[]): void {
    this.freeze();
    this.rig.input({ type: "ingest", tables, mark: markOf(region, index) });
    Object.assign(this.region(region), { applied: index, last: index, alive: true });
  }

  /** Applies what the log has beyond the mark. */
  private revive(group: RecoveredGroup): void {
    const state = this.region(group.region);
    if (group.tombstone !== undefined) {
      this.edit((workspace) => clear(workspace, group.region));
      Object.assign(state, { applied: 0, last: 0, alive: false });
      return;
    }
    for (const { index, data } of group.entries) {
      if (index <= state.applied) continue;
      assert.is(index, state.applied + 1, `region ${group.region} has a hole`);
      const ops = JSON.parse(String.fromCharCode(...data)) as readonly Op[];
      this.edit((workspace) => perform(workspace, ops));
      state.applied = index;
    }
    state.last = Math.max(state.applied, group.truncated.index);
    if (state.last > 0) state.alive = true;
  }
}

const markOf = (region: number, applied: number): GroupMark => ({
  region: RegionId(region),
  applied: LogIndex(applied),
  appliedTerm: Term(applied === 0 ? 0 : 1),
  meta: bytes(applied === 0 ? "gone" : `region ${region}`),
});

function clear(workspace: Workspace, region: number): void {
  for (const cf of COLUMN_FAMILIES) {
    const [start, end] = [startOf(region), endOf(region)];
    workspace.perform({ type: "delete_range", cf, start, end });
  }
}

function perform(workspace: Workspace, ops: readonly Op[]): void {
  for (const { cf, type, key, end, value } of ops) {
    const operation: KvOperation =
      type === "put"
        ? { type, cf, key: Key(key), value: bytes(value) }
        : type === "delete"
          ? { type, cf, key: Key(key) }
          : { type, cf, start: Key(key), end: Key(end) };
    workspace.perform(operation);
  }
}
