/**
 * Time as the engine sees it: two readings that the driver takes before each step and passes in.
 */

/** Both clocks of the machine, read once for a step. */
export interface Now {
  /**
   * Milliseconds of a clock that never steps back and whose origin means nothing. Leases and
   * timeouts use only this.
   */
  readonly monotonicMs: number;
  /**
   * Milliseconds since the Unix epoch as this machine believes; may step either way. Only for dates
   * people set: TTLs, physical timestamps.
   */
  readonly wallMs: number;
}
