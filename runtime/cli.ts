#!/usr/bin/env node
/**
 * The command line: `rutile COMMAND`. Wrong usage ends with one line that names what is wrong, and
 * status 2.
 */
import { Command, CommanderError } from "commander";
import { addCtl } from "./cli/ctl.ts";
import { addPdServer } from "./cli/pd-server.ts";
import { addPlayground } from "./cli/playground.ts";
import { USAGE_STATUS } from "./cli/serve.ts";
import { addTikvServer } from "./cli/tikv-server.ts";
import { RUTILE_VERSION } from "./version.ts";

const program = new Command("rutile")
  .description("A distributed, transactional key-value database that speaks TiKV's protocol.")
  .version(`rutile ${RUTILE_VERSION}`, "-V, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .helpCommand(false)
  .enablePositionalOptions()
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/\n\(Did/, " (did")) });

addPdServer(program);
addTikvServer(program);
addPlayground(program);
addCtl(program);
program
  .command("sim")
  .description("run scenarios in the simulator; `rutile sim --help` says how")
  .argument("[arguments...]")
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  // The simulator reads its own arguments, and no node should have to load it.
  .action(async (rest: readonly string[]) => (await import("./cli/sim.ts")).sim(rest));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : USAGE_STATUS;
}
