/** Films for tests of the page: one made by hand, in which every place is known, and a long one. */
import { type Film, FILM_VERSION } from "../../sim/film/film.ts";

/**
 * Two stores, a member and a client over two seconds. Store 2 leads region 1 in term 7; a message
 * is lost, one is late and one comes three times; store 1 violates something at 1.5 s.
 */
export function smallFilm(): Film {
  return {
    version: FILM_VERSION,
    scenario: "by-hand",
    seed: "7",
    trace: "0123456789abcdef",
    events: 12,
    endUs: 2_000_000,
    healedUs: 1_800_000,
    nodes: [
      { name: "store 1", kind: "store" },
      { name: "store 2", kind: "store" },
      { name: "pd 1", kind: "placement" },
      { name: "client1", kind: "client" },
    ],
    words: ["", "append_request", "append_response", "call RawPut", "RawPut", "put value 1 at k"],
    messages: {
      sentUs: [100_000, 200_000, 300_000, 400_000, 500_000, 1_200_000],
      from: [1, 0, 1, 1, 3, 1],
      to: [0, 1, 0, 0, 1, 0],
      type: [1, 2, 1, 1, 3, 1],
      group: [1, 1, 1, 1, 1, 1],
      term: [7, 7, 7, 7, -1, 7],
      call: [0, 0, 0, 0, 9, 0],
      delayUs: [1000, 1000, -1, 600_000, 1000, 1000],
      copyOf: [0, 0],
      copyDelayUs: [40_000, 20_000],
    },
    calls: {
      id: [9],
      beginUs: [500_000],
      lastsUs: [300_000],
      from: [3],
      to: [1],
      method: [4],
      group: [1],
      end: [1],
      note: [0],
    },
    operations: { beginUs: [500_000], lastsUs: [300_000], client: [3], text: [5], end: [0] },
    statuses: { timeUs: [0, 0, 0], node: [0, 1, 2], status: [0, 0, 0] },
    states: {
      timeUs: [10_000, 20_000],
      node: [0, 1],
      group: [1, 1],
      role: [0, 3],
      term: [7, 7],
      leader: [2, 2],
      commit: [41, 42],
      applied: [41, 42],
      lease: [0, 1],
    },
    clocks: { timeUs: [0, 900_000], node: [0, 0], offsetUs: [2000, 3_000_000] },
    faults: [
      {
        type: "clock_step",
        timeUs: 900_000,
        endUs: 900_000,
        text: "the wall clock of store 1 steps by 3 s",
        nodes: [0],
      },
      { type: "pause", timeUs: 1_000_000, endUs: 1_100_000, text: "pd 1 stands still", nodes: [2] },
    ],
    lines: [
      { timeUs: 20_000, topic: "leader", text: "store 2 leads region 1" },
      { timeUs: 900_000, topic: "fault", text: "the wall clock of store 1 steps by 3 s" },
      { timeUs: 1_500_000, topic: "check", text: "something is <b>wrong</b>" },
    ],
    violation: {
      check: "kept promises",
      timeUs: 1_500_000,
      text: "something is <b>wrong</b>",
      detail: undefined,
      nodes: [0],
      cutUs: [1_500_000, 1_200_000, -1, 500_000],
      frontier: [4, 5],
    },
    leftOut: { messages: 0, calls: 0, states: 0 },
  };
}

/** As many messages as asked for, between seven servers and five clients, over a minute. */
export function longFilm(count: number): Film {
  const small = smallFilm();
  const endUs = 60_000_000;
  const rows = Array.from({ length: count }, (_, i) => i);
  const pick = (i: number, salt: number, below: number): number =>
    (Math.imul(i + salt, 0x9e3779b1) >>> 8) % below;
  const nodes: Film["nodes"] = [
    ...[1, 2, 3, 4, 5].map((i) => ({ name: `store ${i}`, kind: "store" as const })),
    ...[1, 2].map((i) => ({ name: `pd ${i}`, kind: "placement" as const })),
    ...[1, 2, 3, 4, 5].map((i) => ({ name: `client${i}`, kind: "client" as const })),
  ];
  const calls = rows.filter((i) => i % 10 === 0);
  const states = rows.filter((i) => i % 20 === 0);
  const time = (i: number): number => Math.floor((i / count) * endUs);
  return {
    ...small,
    scenario: "long",
    events: count,
    endUs,
    healedUs: undefined,
    nodes,
    messages: {
      sentUs: rows.map(time),
      from: rows.map((i) => pick(i, 1, 12)),
      to: rows.map((i) => pick(i, 7, 12)),
      type: rows.map((i) => 1 + pick(i, 3, 3)),
      group: rows.map((i) => 1 + pick(i, 5, 4)),
      term: rows.map(() => 7),
      call: rows.map(() => 0),
      delayUs: rows.map((i) => (i % 50 === 0 ? -1 : 500 + pick(i, 9, 20_000))),
      copyOf: [],
      copyDelayUs: [],
    },
    calls: {
      id: calls.map((_, i) => i + 1),
      beginUs: calls.map(time),
      lastsUs: calls.map((i) => 1000 + pick(i, 11, 9000)),
      from: calls.map((i) => 7 + pick(i, 13, 5)),
      to: calls.map((i) => pick(i, 15, 5)),
      method: calls.map(() => 4),
      group: calls.map(() => 1),
      end: calls.map((i) => (i % 70 === 0 ? 4 : 1)),
      note: calls.map(() => 0),
    },
    statuses: {
      timeUs: nodes.slice(0, 7).map(() => 0),
      node: nodes.slice(0, 7).map((_, i) => i),
      status: nodes.slice(0, 7).map(() => 0),
    },
    states: {
      timeUs: states.map(time),
      node: states.map((i) => pick(i, 17, 5)),
      group: states.map((i) => 1 + pick(i, 19, 4)),
      role: states.map((i) => (i % 2000 === 0 ? 3 : 0)),
      term: states.map((i) => Math.floor(i / 2000) + 1),
      leader: states.map(() => 1),
      commit: states.map((i) => i),
      applied: states.map((i) => i),
      lease: states.map(() => 0),
    },
    violation: undefined,
  };
}
