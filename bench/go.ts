/** Builds the Go programs that benchmarks and client tests run, where there is a Go toolchain. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const binaries = join(root, "dist", "go");

/**
 * Compiles the Go module in `directory`, relative to the repository, and returns the path of its
 * binary; undefined where there is no Go. A program that does not compile throws: that is an error,
 * and no reason to skip. `modfile` selects other versions of the dependencies than `go.mod` does;
 * its name, without the ending, is then a build tag.
 */
export async function buildGo(directory: string, modfile = "go.mod"): Promise<string | undefined> {
  try {
    await exec("go", ["version"]);
  } catch {
    return undefined;
  }
  mkdirSync(binaries, { recursive: true });
  const variant = modfile === "go.mod" ? "" : modfile.replace(".mod", "");
  const name = directory.replaceAll("/", "-");
  const binary = join(binaries, variant === "" ? name : `${name}-${variant}`);
  const args = ["build", `-modfile=${modfile}`, `-tags=${variant}`, "-o", binary, "."];
  await exec("go", args, { cwd: join(root, directory) });
  return binary;
}
