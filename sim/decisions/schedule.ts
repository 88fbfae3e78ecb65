/**
 * What a run is made of, apart from its scenario: which decisions are left to the seed, and which
 * are laid down. Plain data, kept in files.
 */
export interface Schedule {
  /**
   * Names of decisions that are drawn by the seed, or beginnings of names up to a slash: `clock`
   * stands for all clocks, `*` for everything.
   */
  readonly drawn: readonly string[];
}

/** Answers whether a name is among those that a schedule leaves to the seed. */
export interface DrawnNames {
  readonly has: (name: string) => boolean;
}

export function drawnNames(patterns: readonly string[]): DrawnNames {
  if (patterns.includes("*")) return { has: () => true };
  const known = new Set(patterns);
  const has = (name: string): boolean => {
    if (known.has(name)) return true;
    for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) {
      if (known.has(name.slice(0, at))) return true;
    }
    return false;
  };
  return { has };
}
