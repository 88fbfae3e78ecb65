#!/usr/bin/env node
/** The `rutile` command: finds the subcommand and runs it. */
import { sim } from "./cli/sim.ts";

const USAGE = `usage: rutile sim …
`;

const [command, ...rest] = process.argv.slice(2);
switch (command) {
  case "sim":
    sim(rest);
    break;
  default:
    process.stderr.write(
      command === undefined ? USAGE : `rutile: unknown command "${command}"\n${USAGE}`,
    );
    process.exitCode = 2;
}
