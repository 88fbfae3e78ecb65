/**
 * The last client of a run of recorded transactions: clears away what locks are left, reads all
 * versions of all keys, and has everything judged.
 */
import type { Key } from "../../../engine/base/bytes.ts";
import { Backoff } from "../../../engine/client/backoff.ts";
import type { Cluster } from "../../../engine/client/cluster.ts";
import type { Ports } from "../../../engine/client/ports.ts";
import { MvccGetByKeyRequest, type MvccInfo, Op } from "../../../engine/protocol/gen/kvrpcpb.ts";
import { checkRecorded } from "../../checkers/recorded.ts";
import { passed, violated } from "../../checkers/verdict.ts";
import type { StoredVersion } from "../../checkers/versions.ts";
import type { World } from "../../model.ts";
import { asyncClient } from "../async-client.ts";
import type { Audit } from "../audit.ts";
import { clearLocks, untilItWorks } from "../leftovers.ts";
import { failureOf, libraryOf, PATIENCE } from "../library.ts";
import { numbersIn } from "./cell.ts";
import type { Desk } from "./desk.ts";

const REPEATABLE = { timeoutMs: 1000, repeatable: true } as const;

export function recordedAudit(world: World, node: number, desk: Desk): Audit {
  const client = asyncClient(world, node, "auditor", async (ports) => {
    const { cluster } = libraryOf(world, ports);
    await clearLocks(world, ports, cluster, audit);
    const versions: StoredVersion[] = [];
    for (const key of desk.keys) {
      audit.doing = `reads the versions of ${key}`;
      await untilItWorks(ports, async () => {
        const read = async (): Promise<void> => {
          versions.push(...(await versionsOf(world, ports, cluster, key)));
        };
        return (await failureOf(read())) === undefined;
      });
    }
    passed(world, "leftover locks");
    checkRecorded(world, desk, versions);
    audit.done = true;
  });
  const audit: Audit = { client, doing: "starts", done: false, seen: new Map() };
  return audit;
}

async function versionsOf(
  world: World,
  ports: Ports,
  cluster: Cluster,
  key: string,
): Promise<readonly StoredVersion[]> {
  const backoff = new Backoff(ports, PATIENCE.timeoutMs, undefined);
  const response = await cluster.send(backoff, key as Key, REPEATABLE, (context) => ({
    method: "MvccGetByKey",
    request: MvccGetByKeyRequest.make({ context, key: key as Key }),
  }));
  const { info, error } = response;
  if (error !== "") violated(world, "answers", `the versions of ${key}: ${error}`);
  if (info?.lock !== undefined) {
    violated(world, "leftover locks", `transaction ${info.lock.startTs} still holds ${key}`);
  }
  return info === undefined ? [] : versionsIn(key, info);
}

function versionsIn(key: string, { writes, values }: MvccInfo): readonly StoredVersion[] {
  const versions: StoredVersion[] = [];
  for (const { type, startTs, commitTs, shortValue } of writes) {
    const kind = TYPES.get(type);
    if (kind === undefined) continue;
    const long = values.find((one) => one.startTs === startTs)?.value;
    const value = shortValue.length > 0 ? shortValue : long;
    const numbers = kind === "put" ? numbersIn(value) : [];
    versions.push({ key, type: kind, startTs, commitTs, numbers });
  }
  return versions;
}

/** Rollbacks are no versions. */
const TYPES: ReadonlyMap<Op, StoredVersion["type"]> = new Map([
  [Op.Put, "put"],
  [Op.Del, "delete"],
  [Op.Lock, "lock"],
]);
