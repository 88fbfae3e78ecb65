/**
 * Splitting a region by keys. The region keeps the part behind the last key (TiKV's
 * "right derive"); each new region gets the part before its key, and peers on the same stores.
 * Data does not move.
 */
import { assert } from "../base/assert.ts";
import { EMPTY_KEY, type Key } from "../base/bytes.ts";
import { type LogIndex, maxIndex, type PeerId, type RegionId, type Term } from "../base/ids.ts";
import { Peer, Region, RegionEpoch } from "../protocol/gen/metapb.ts";
import { isLeader } from "../raft/query.ts";
import { restore, start } from "../raft/start.ts";
import type { RaftState } from "../raft/state.ts";
import type { HardState } from "../raft/types.ts";
import type { SplitEntry, SplitPart } from "./command.ts";
import { configurationOf, containsKey, epochOf, idOf, peerIdOf } from "./descriptor.ts";
import { clearRange } from "./destroy.ts";
import type { Outcome } from "./propose.ts";
import { raftConfig } from "./raft-config.ts";
import { appliedHardState, logCommit } from "./records.ts";
import { newReplica, type Replica, regionId, withReplica } from "./replica.ts";
import { noteNews, type Turn } from "./turn.ts";

/**
 * A region that was not grown from index 1 begins behind this one (TiKV's initial log position).
 */
export const INITIAL_INDEX = 5 as LogIndex;
export const INITIAL_TERM = 5 as Term;

/** The keys at which `region` can be split: inside it, ascending, each once. */
export function splitKeys(region: Region, keys: readonly Key[]): readonly Key[] {
  const sorted = keys
    .filter((key) => key > region.startKey && containsKey(region, key))
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted.filter((key, i) => i === 0 || key !== sorted[i - 1]);
}

export function applySplit(
  turn: Turn,
  replica: Replica,
  entry: SplitEntry,
): { readonly replica: Replica; readonly outcome: Outcome } {
  const parent = replica.region;
  const epoch = epochOf(parent);
  if (entry.version !== epoch.version || entry.confVer !== epoch.confVer) {
    return { replica, outcome: { type: "void", currentRegions: [parent] } };
  }
  const newEpoch = RegionEpoch.make({
    confVer: epoch.confVer,
    version: epoch.version + entry.parts.length,
  });
  const regions: Region[] = [];
  let startKey = parent.startKey;
  for (const part of entry.parts) {
    assert(part.key > startKey || part.key === EMPTY_KEY, "a region is split at ascending keys");
    regions.push(partOf(parent, part, startKey, newEpoch));
    startKey = part.key;
  }
  const derived = Region.make({ ...parent, startKey, regionEpoch: newEpoch });
  const changed = withReplica(replica, { region: derived, splitAt: replica.applied });
  // The parent first: its start key passes to a new region.
  turn.replicas.put(changed);
  // The new regions' logs rest on this entry, so it has to be known committed wherever they are.
  logCommit(turn, changed);
  for (const region of regions) grow(turn, changed, region);
  noteNews(turn, regionId(changed));
  return { replica: changed, outcome: { type: "split", regions: [...regions, derived] } };
}

function partOf(parent: Region, part: SplitPart, startKey: Key, epoch: RegionEpoch): Region {
  assert(
    part.peers.length === parent.peers.length,
    "a new region has a peer for each of its parent's",
  );
  return Region.make({
    id: part.region,
    startKey,
    endKey: part.key,
    regionEpoch: epoch,
    peers: parent.peers.map((peer, i) => Peer.make({ ...peer, id: part.peers[i] as number })),
  });
}

/** Makes this store's replica of a region split off from `parent`. */
function grow(turn: Turn, parent: Replica, region: Region): void {
  const id = idOf(region);
  const peer = region.peers.find((other) => other.storeId === turn.store);
  assert(peer !== undefined, "a new region has a peer where its parent has one");
  const gone = turn.replicas.tombstone(id);
  if (gone !== undefined && gone.peer >= peer.id) {
    // It was removed from this store before the split got here: only its data is left.
    clearRange(turn, region.startKey, region.endKey);
    return;
  }
  const raft = raftOf(turn, region, peer);
  turn.records.push({ type: "begin", region: id, index: INITIAL_INDEX, term: INITIAL_TERM });
  turn.replicas.put(
    newReplica({
      region,
      peer,
      raft,
      applied: INITIAL_INDEX,
      appliedTerm: INITIAL_TERM,
      configuration: configurationOf(region),
    }),
  );
  turn.replicas.awake(id);
  noteNews(turn, id);
  turn.started.push({ region: id, campaign: isLeader(parent.raft) });
}

/** The new region's group: what this store already keeps of it, or a fresh one. */
function raftOf(turn: Turn, region: Region, peer: Peer): RaftState {
  const configuration = configurationOf(region);
  const config = raftConfig(turn, region.id as RegionId, peerIdOf(peer));
  const truncated = { index: INITIAL_INDEX, term: INITIAL_TERM };
  const now = turn.now.monotonicMs;
  const asleep = turn.replicas.sleeping(idOf(region));
  if (asleep !== undefined) {
    const { hardState: kept, entries, truncated: begin } = asleep;
    const durable = {
      hardState: atLeastInitial(kept),
      truncated: begin.index > 0 ? begin : truncated,
      entries,
      applied: INITIAL_INDEX,
      configuration,
    };
    return restore(config, durable, now);
  }
  const early = turn.replicas.get(idOf(region));
  if (early !== undefined) {
    // Messages of the new region were here before the split: the vote it has given stays given.
    const durable = {
      hardState: atLeastInitial(appliedHardState(early)),
      truncated,
      entries: [],
      applied: INITIAL_INDEX,
      configuration,
    };
    return restore(config, durable, now);
  }
  return start(config, { index: INITIAL_INDEX, term: INITIAL_TERM, configuration }, now);
}

/** A replica that was here before its split knows of terms, but not that the log begins in one. */
const atLeastInitial = ({ term, vote, commit }: HardState): HardState => ({
  term: term < INITIAL_TERM ? INITIAL_TERM : term,
  vote: term < INITIAL_TERM ? (0 as PeerId) : vote,
  commit: maxIndex(commit, INITIAL_INDEX),
});
