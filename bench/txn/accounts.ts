/** The accounts of the bank that all systems keep, and which of them a transfer moves between. */

/** What an account has at first. */
export const OPENING_BALANCE = 1_000_000;

/** Two accounts, the first with the smaller number. */
export type Pair = readonly [number, number];

/** Draws pairs of accounts; a half of them may be a region of its own. */
export interface Draw {
  /** Any account. */
  one(): number;
  /** Two accounts of the same half. */
  within(): Pair;
  /** One account of each half. */
  across(): Pair;
}

/** Where the second half begins. */
export const middleOf = (accounts: number): number => accounts >>> 1;

/** The key of an account: as long as a key of TiDB's. */
export const accountKey = (account: number): string =>
  `account/${String(account).padStart(8, "0")}`;

export function drawOf(accounts: number): Draw {
  const middle = middleOf(accounts);
  const below = (end: number): number => Math.floor(Math.random() * end);
  const first = (): number => below(middle);
  const second = (): number => middle + below(accounts - middle);
  return {
    one: () => below(accounts),
    within: () => {
      const half = Math.random() < 0.5 ? first : second;
      const a = half();
      let b = half();
      while (b === a) b = half();
      return a < b ? [a, b] : [b, a];
    },
    across: () => [first(), second()],
  };
}
