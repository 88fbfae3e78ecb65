/** A planted bug: a small change of the engine that some seed must catch. */
export interface PlantedBug {
  /** As in the track record: R Raft, C clocks, S storage, T transactions, P placement. */
  readonly id: string;
  readonly name: string;
  /** Where the world has met it. */
  readonly source: string;
  /** Each `find` stands exactly once in its file. */
  readonly edits: readonly Edit[];
  /** The scenarios that look for it, taken in turn seed by seed. */
  readonly scenarios: readonly string[];
}

export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
