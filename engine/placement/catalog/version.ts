/**
 * Version strings of stores: semantic versions, a leading `v` allowed, nothing at all meaning
 * 0.0.0.
 */

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** What follows a `-`; empty for a release. */
  readonly preRelease: string;
}

const FORM = /^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/** The version that `text` names, or undefined where it names none. */
export function parseVersion(text: string): Version | undefined {
  if (text === "") return { major: 0, minor: 0, patch: 0, preRelease: "" };
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, preRelease] = match;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    preRelease: preRelease ?? "",
  };
}

/**
 * Negative, zero or positive as `a` is before, equal to or after `b`. A pre-release is before its
 * release.
 */
export function compareVersions(a: Version, b: Version): number {
  const difference = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (difference !== 0 || a.preRelease === b.preRelease) return difference;
  if (a.preRelease === "") return 1;
  if (b.preRelease === "") return -1;
  return a.preRelease < b.preRelease ? -1 : 1;
}

/**
 * Whether a store of `version` may join a cluster of `cluster`: not older, or of the same minor
 * series.
 */
export function isCompatible(cluster: Version, version: Version): boolean {
  if (compareVersions(version, cluster) >= 0) return true;
  return cluster.major === version.major && cluster.minor === version.minor;
}

export function formatVersion(version: Version): string {
  const release = `${version.major}.${version.minor}.${version.patch}`;
  return version.preRelease === "" ? release : `${release}-${version.preRelease}`;
}
