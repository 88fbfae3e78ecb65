/**
 * The part of etcd that clients of transactions use: who the members are, and one key, the
 * transaction safe point as decimal text. To who reads it this is an etcd store in which nothing
 * else was ever written: its revision goes up by one with each move of that safe point.
 */
import type { Key } from "../../base/bytes.ts";
import { MemberListResponse } from "../../protocol/gen/etcdserverpb.ts";
import type { RangeRequest, ResponseHeader } from "../../protocol/gen/etcdserverpb.ts";
import { KeyValue } from "../../protocol/gen/mvccpb.ts";
import { utf8Size, writeUtf8 } from "../../protocol/utf8.ts";
import { OUT_OF_RANGE, refuse, reply } from "./answer.ts";
import type { Answer, Desk } from "./answer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { PlacementConfig } from "../config.ts";
import type { SafePoints } from "../catalog/safe-point.ts";

/** Where TiDB's collector has always left the safe point, and clients look for it. */
export const SAFE_POINT_KEY = "/tidb/store/gcworker/saved_safe_point" as Key;

/** The revision of an etcd store in which nothing has been written. */
const EMPTY_REVISION = 1;
/** As the end of a range: everything from its start on. */
const WITHOUT_END = "\0";

/** Any member answers. Those that clients should ask are the same for ever. */
export function memberList(catalog: Catalog, config: PlacementConfig, term: number): Answer {
  const members = config.members.map(({ id, name, peerUrls, clientUrls }) => ({
    id,
    name,
    peerURLs: [...peerUrls],
    clientURLs: [...clientUrls],
    isLearner: false,
  }));
  const header = etcdHeader(catalog, config, term);
  return reply("MemberList", MemberListResponse.make({ header, members }));
}

/** What the range holds now. Older revisions are not kept, and said to be compacted. */
export function range(desk: Desk, request: RangeRequest): Answer {
  const { catalog, config, leadership } = desk;
  const header = etcdHeader(catalog, config, leadership.term);
  if (request.revision > header.revision) {
    return refuse(OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision");
  }
  if (request.revision > 0 && request.revision < header.revision) {
    return refuse(OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
  }
  const stored = savedSafePoint(catalog.safePoints);
  const found = stored !== undefined && holds(request, stored.key) ? [stored] : [];
  const kvs = request.countOnly ? [] : found.filter((pair) => passes(request, pair));
  return reply("Range", {
    header,
    kvs: request.keysOnly ? kvs.map((pair) => ({ ...pair, value: new Uint8Array(0) })) : kvs,
    more: false,
    count: found.length,
  });
}

const etcdHeader = (
  { clusterId, safePoints }: Catalog,
  config: PlacementConfig,
  term: number,
): ResponseHeader => ({
  clusterId: clusterId ?? 0n,
  memberId: config.id,
  revision: EMPTY_REVISION + safePoints.moves,
  raftTerm: term,
});

/** The key as it is now; undefined before the safe point has first moved. */
function savedSafePoint({ transaction, moves }: SafePoints): KeyValue | undefined {
  if (moves === 0) return undefined;
  const text = transaction.toString();
  const value = new Uint8Array(utf8Size(text));
  writeUtf8(text, value, 0);
  return KeyValue.make({
    key: SAFE_POINT_KEY,
    createRevision: EMPTY_REVISION + 1,
    modRevision: EMPTY_REVISION + moves,
    version: moves,
    value,
  });
}

function holds({ key, rangeEnd }: RangeRequest, stored: Key): boolean {
  if (rangeEnd === "") return stored === key;
  return stored >= key && (rangeEnd === WITHOUT_END || stored < rangeEnd);
}

/** The filters by revision, of which 0 is none. */
function passes(request: RangeRequest, { modRevision, createRevision }: KeyValue): boolean {
  const within = (revision: number, from: number, to: number): boolean =>
    revision >= from && (to === 0 || revision <= to);
  return (
    within(modRevision, request.minModRevision, request.maxModRevision) &&
    within(createRevision, request.minCreateRevision, request.maxCreateRevision)
  );
}
