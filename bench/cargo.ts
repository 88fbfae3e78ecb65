/** Builds the Rust programs that benchmarks run, where there is a Rust toolchain. */
import { execFile } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Compiles the crate in `directory`, relative to the repository, for release, in the versions that
 * its lock file names, and returns the folder of its binaries; undefined where there is no cargo. A
 * program that does not compile throws: that is an error, and no reason to skip. Cargo keeps what
 * it builds outside of the repository, so that a fresh clone finds it: compiling takes minutes.
 */
export async function buildCargo(directory: string): Promise<string | undefined> {
  try {
    await exec("cargo", ["--version"]);
  } catch {
    return undefined;
  }
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const target = process.env["CARGO_TARGET_DIR"] ?? join(cache, "rutile", "cargo-target");
  await exec("cargo", ["build", "--quiet", "--locked", "--release"], {
    cwd: join(root, directory),
    env: { ...process.env, CARGO_TARGET_DIR: target },
  });
  return join(target, "release");
}
