/** The generator behind election timeouts: 32 bits of state, kept in the member's own state. */

/** State of the generator; any 32-bit integer. */
export type Random = number;

/** The next state, and a number drawn from [0, bound). `bound` is at most 2^32. */
export function draw(random: Random, bound: number): { readonly random: Random; value: number } {
  const next = (random + 0x6d2b79f5) | 0;
  let mixed = Math.imul(next ^ (next >>> 15), next | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  const word = (mixed ^ (mixed >>> 14)) >>> 0;
  return { random: next, value: Math.floor((word / 0x1_0000_0000) * bound) };
}
