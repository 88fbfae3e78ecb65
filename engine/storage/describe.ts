/** One line for every input, effect and operation of this room, for traces and golden tests. */
import { unreachable } from "../base/assert.ts";
import type { DiskOperation } from "./disk.ts";
import { describeTreeEffect, describeTreeInput } from "./lsm/describe.ts";
import type { LogRecord, StorageEffect, StorageInput } from "./types.ts";

export function describeInput(input: StorageInput): string {
  switch (input.type) {
    case "identify": {
      const { cluster, store } = input.identity;
      return `identify cluster=${cluster} store=${store} ticket=${input.ticket}`;
    }
    case "log":
      return `log ticket=${input.ticket}: ${input.records.map(describeRecord).join("; ")}`;
    case "turn_ended":
      return "turn_ended";
    case "written":
      return `written ticket=${input.ticket}`;
    case "write_failed":
      return `write_failed ticket=${input.ticket} ${input.reason} ${input.file}`;
    default:
      return describeTreeInput(input);
  }
}

export function describeEffect(effect: StorageEffect): string {
  switch (effect.type) {
    case "write":
      return `write ${effect.lane} ticket=${effect.ticket}: ${effect.operations.map(describeOperation).join("; ")}`;
    case "opened":
      return "opened";
    case "durable":
      return `durable ticket=${effect.ticket}`;
    case "failed":
      return `failed ${effect.reason} ${effect.file}`;
    default:
      return describeTreeEffect(effect);
  }
}

export function describeOperation(operation: DiskOperation): string {
  switch (operation.type) {
    case "append":
      return `append ${operation.file} ${operation.bytes.length} bytes`;
    case "truncate":
      return `truncate ${operation.file} to ${operation.size}`;
    case "rename":
      return `rename ${operation.file} to ${operation.to}`;
    case "create":
    case "sync":
    case "remove":
      return `${operation.type} ${operation.file}`;
    case "sync_directory":
      return "sync_directory";
    default:
      return unreachable(operation);
  }
}

export function describeRecord(record: LogRecord): string {
  const { region } = record;
  switch (record.type) {
    case "append": {
      const { hardState, entries } = record;
      const state =
        hardState === undefined
          ? ""
          : ` term=${hardState.term} vote=${hardState.vote} commit=${hardState.commit}`;
      const first = entries[0];
      const last = entries[entries.length - 1];
      const range = first === undefined ? "" : ` entries=${first.index}..${last!.index}`;
      return `append region=${region}${state}${range}`;
    }
    case "compact":
    case "begin":
      return `${record.type} region=${region} index=${record.index} term=${record.term}`;
    case "restore": {
      const { index, term } = record.metadata;
      return `restore region=${region} index=${index} term=${term} chunks=${record.chunks.length} tables=${record.tables.length}`;
    }
    case "destroy":
      return `destroy region=${region}`;
    default:
      return unreachable(record);
  }
}
