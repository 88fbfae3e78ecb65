/**
 * Calls that look regions up. They read the leader's registry, which may lag behind the regions
 * themselves.
 */
import type { Key } from "../../base/bytes.ts";
import { EMPTY_KEY } from "../../base/bytes.ts";
import { GetRegionResponse, Region, RegionResponse } from "../../protocol/gen/pdpb.ts";
import type {
  BatchScanRegionsRequest,
  GetRegionByIDRequest,
  GetRegionRequest,
  QueryRegionRequest,
  ScanRegionsRequest,
} from "../../protocol/gen/pdpb.ts";
import { Peer } from "../../protocol/gen/metapb.ts";
import { failure, header, INVALID_ARGUMENT, refuse, reply } from "./answer.ts";
import type { Answer, Desk } from "./answer.ts";
import { beforeKey, byId, byKey, scan } from "../catalog/registry.ts";
import type { RegionInfo } from "../catalog/registry.ts";

/** The region that holds the key. Not found: an answer without a region, as clients expect. */
export const getRegion = (desk: Desk, request: GetRegionRequest): Answer =>
  found(desk, "GetRegion", byKey(desk.leadership.registry, request.regionKey));

/** The region before the one that holds the key. */
export const getPrevRegion = (desk: Desk, request: GetRegionRequest): Answer =>
  found(desk, "GetPrevRegion", beforeKey(desk.leadership.registry, request.regionKey));

export const getRegionById = (desk: Desk, request: GetRegionByIDRequest): Answer =>
  found(desk, "GetRegionByID", byId(desk.leadership.registry, request.regionId));

function found(
  desk: Desk,
  method: "GetRegion" | "GetPrevRegion" | "GetRegionByID",
  info: RegionInfo | undefined,
): Answer {
  const fields = info === undefined ? {} : fieldsOf(info);
  return reply(method, GetRegionResponse.make({ header: header(desk.catalog), ...fields }));
}

/** What every answer says of a region. */
const fieldsOf = (info: RegionInfo): Partial<RegionResponse> => ({
  region: info.region,
  leader: info.leader,
  downPeers: info.downPeers,
  pendingPeers: info.pendingPeers,
});

export function scanRegions(desk: Desk, request: ScanRegionsRequest): Answer {
  const { startKey, endKey, limit } = request;
  if (isEmptyRange(startKey, endKey)) return refuse(INVALID_ARGUMENT, "the range is empty");
  const infos = scan(desk.leadership.registry, startKey, endKey, Math.max(limit, 0));
  return reply("ScanRegions", {
    header: header(desk.catalog),
    regionMetas: infos.map((info) => info.region),
    // The older form has no word for "unknown": a peer of zeros stands in its place.
    leaders: infos.map((info) => info.leader ?? Peer.make()),
    regions: infos.map((info) => Region.make(fieldsOf(info))),
  });
}

export function batchScanRegions(desk: Desk, request: BatchScanRegionsRequest): Answer {
  const { ranges, limit, containAllKeyRange } = request;
  const problem = checkRanges(ranges);
  if (problem !== undefined) return refuse(INVALID_ARGUMENT, problem);
  const infos: RegionInfo[] = [];
  for (const range of ranges) {
    const room = limit > 0 ? limit - infos.length : 0;
    if (limit > 0 && room === 0) break;
    const inRange = scan(desk.leadership.registry, range.startKey, range.endKey, room);
    const full = room > 0 && inRange.length === room;
    if (containAllKeyRange && !covers(inRange, range.startKey, range.endKey, full)) {
      const message = "the regions do not contain all of the key ranges";
      const reason = "regions_not_contain_all_key_range";
      return failure(desk.catalog, "BatchScanRegions", reason, message);
    }
    // Neighbouring ranges may meet in one region, which is answered once.
    for (const info of inRange) if (infos.at(-1) !== info) infos.push(info);
  }
  const regions = infos.map((info) => Region.make(fieldsOf(info)));
  return reply("BatchScanRegions", { header: header(desk.catalog), regions });
}

function checkRanges(ranges: readonly { startKey: Key; endKey: Key }[]): string | undefined {
  for (const [i, { startKey, endKey }] of ranges.entries()) {
    if (isEmptyRange(startKey, endKey)) return `range ${i} is empty`;
    const next = ranges[i + 1];
    if (next !== undefined && (endKey === EMPTY_KEY || next.startKey < endKey)) {
      return `range ${i} overlaps the next one`;
    }
  }
  return undefined;
}

/**
 * Whether `infos`, in order, leave no hole in [start, end). Where the limit cut them off, up to the
 * last one.
 */
function covers(infos: readonly RegionInfo[], start: Key, end: Key, full: boolean): boolean {
  let at: Key | undefined = start;
  for (const { region } of infos) {
    if (at === undefined || region.startKey > at) return false;
    at = region.endKey === EMPTY_KEY ? undefined : region.endKey;
  }
  if (at === undefined) return true;
  if (full) return true;
  return end !== EMPTY_KEY && at >= end;
}

const isEmptyRange = (start: Key, end: Key): boolean => end !== EMPTY_KEY && start >= end;

/**
 * Several lookups at once: ids by position in the request, 0 for what is not found, and each region
 * once.
 */
export function queryRegion(desk: Desk, request: QueryRegionRequest): Answer {
  const { registry } = desk.leadership;
  const regionsById = new Map<number, RegionResponse>();
  const note = (info: RegionInfo | undefined): number => {
    if (info === undefined) return 0;
    const { id } = info.region;
    if (!regionsById.has(id)) regionsById.set(id, RegionResponse.make(fieldsOf(info)));
    return id;
  };
  const keyIdMap = request.keys.map((key) => note(byKey(registry, key)));
  const prevKeyIdMap = request.prevKeys.map((key) => note(beforeKey(registry, key)));
  for (const id of request.ids) note(byId(registry, id));
  return reply("QueryRegion", {
    header: header(desk.catalog),
    keyIdMap,
    prevKeyIdMap,
    regionsById,
  });
}
