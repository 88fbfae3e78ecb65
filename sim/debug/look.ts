/** What a server was at a moment, as lines of `path value`: what is shown, and what is compared. */
import * as tree from "../../engine/base/tree.ts";
import type { RaftState } from "../../engine/raft/state.ts";
import { epochText, membersText, rangeText } from "../trace/region-text.ts";
import type { Moment } from "./chronicle.ts";

/** By path, in order. */
export type Look = ReadonlyMap<string, string>;

export function lookAt(moment: Moment | undefined): Look {
  const look = new Map<string, string>([["status", moment?.status ?? "down"]]);
  const state = moment?.state;
  if (state === undefined) return look;
  if (!("replicas" in state)) {
    addRaft(look, "raft", state.raft);
    return look;
  }
  for (const [, { region, raft, applied }] of tree.entries(state.replicas.byId)) {
    const path = `region.${region.id}`;
    look.set(`${path}.applied`, String(applied));
    addRaft(look, `${path}.raft`, raft);
    look.set(`${path}.epoch`, epochText(region));
    look.set(`${path}.members`, membersText(region));
    look.set(`${path}.range`, rangeText(region));
  }
  return look;
}

function addRaft(look: Map<string, string>, path: string, raft: RaftState): void {
  const { role, term, vote, leader, commit, applied, written, durable } = raft;
  const fields = { role, term, vote, leader, commit, applied, written, durable };
  for (const [name, value] of Object.entries(fields)) look.set(`${path}.${name}`, String(value));
}
