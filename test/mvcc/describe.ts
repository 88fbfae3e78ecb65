/**
 * Records and operations on them in words.
 */
import { decodeKey, keyOfVersion, timestampOfVersion } from "../../engine/mvcc/keys.ts";
import type { LastChange } from "../../engine/mvcc/record/last-change.ts";
import { type Lock, decodeLock } from "../../engine/mvcc/record/lock.ts";
import { type Write, decodeWrite, isProtectedRollback } from "../../engine/mvcc/record/write.ts";
import type { KvOperation } from "../../engine/storage/types.ts";
import { textOf, tsText } from "./words.ts";

export function describeOperation(operation: KvOperation): string {
  if (operation.type === "delete_range") {
    const ends = [operation.start, operation.end].map((key) => decodeKey(key) ?? "");
    return `${operation.cf} -- ${ends.join("..")}`;
  }
  const { type, cf, key } = operation;
  const sign = type === "put" ? "+" : "-";
  if (cf === "lock") {
    const name = decodeKey(key) ?? "?";
    if (type === "delete") return `lock    - ${name}`;
    const decoded = decodeLock(operation.value);
    return `lock    + ${name} ${decoded.ok ? describeLock(decoded.lock) : decoded.reason}`;
  }
  const name = `${decodeKey(keyOfVersion(key)) ?? "?"}@${tsText(timestampOfVersion(key) ?? 0n)}`;
  if (type === "delete") return `${cf.padEnd(7)} ${sign} ${name}`;
  if (cf === "default") return `default + ${name} ${textOf(operation.value)}`;
  const decoded = decodeWrite(operation.value);
  return `write   + ${name} ${decoded.ok ? describeWrite(decoded.write) : decoded.reason}`;
}

export function describeLock(lock: Lock): string {
  const words = [lock.type, `start=${tsText(lock.startTs)}`, `primary=${lock.primary}`];
  const add = (name: string, value: bigint | number): void => {
    if (value !== 0n && value !== 0) words.push(`${name}=${tsText(BigInt(value))}`);
  };
  if (lock.ttlMs !== 0) words.push(`ttl=${lock.ttlMs}`);
  if (lock.shortValue !== undefined) words.push(`value=${textOf(lock.shortValue)}`);
  add("for", lock.forUpdateTs);
  if (lock.txnSize !== 0n) words.push(`size=${lock.txnSize}`);
  add("min", lock.minCommitTs);
  if (lock.secondaries !== undefined) words.push(`async=${lock.secondaries.join("+")}`);
  if (lock.rollbackTs.length > 0) words.push(`rollbacks=${lock.rollbackTs.map(tsText).join("+")}`);
  words.push(...describeChange(lock.lastChange));
  add("source", lock.txnSource);
  if (lock.lockedWithConflict) words.push("conflict");
  add("generation", lock.generation);
  return words.join(" ");
}

export function describeWrite(write: Write): string {
  const words: string[] = [write.type, `start=${tsText(write.startTs)}`];
  if (isProtectedRollback(write)) words.push("protected");
  else if (write.shortValue !== undefined) words.push(`value=${textOf(write.shortValue)}`);
  if (write.overlappedRollback) words.push("overlapped");
  if (write.gcFence !== undefined) words.push(`fence=${tsText(write.gcFence)}`);
  words.push(...describeChange(write.lastChange));
  if (write.txnSource !== 0n) words.push(`source=${write.txnSource}`);
  return words.join(" ");
}

function describeChange(change: LastChange): readonly string[] {
  if (change.type === "unknown") return [];
  if (change.type === "none") return ["last=none"];
  return [`last=${tsText(change.commitTs)}/${change.versions}`];
}
