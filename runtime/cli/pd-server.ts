/** `rutile pd-server`: one member of the placement driver. Flags are those of pd-server. */
import { randomBytes, randomInt } from "node:crypto";
import type { Command } from "commander";
import { PD_SCHEMA, pdSettings } from "../config/pd.ts";
import type { PdFlags } from "../config/pd.ts";
import { startPdServer } from "../node/pd-server.ts";
import { as, loadConfig } from "./flags.ts";
import { refuseUsage, serve } from "./serve.ts";

type Options = PdFlags & { readonly config?: string };

export function addPdServer(program: Command): void {
  program
    .command("pd-server")
    .description("run one member of the placement driver")
    .option("--name <name>", "name of this member (default pd)")
    .option("--data-dir <directory>", "where the data lie (default default.NAME)")
    .option(
      "--client-urls <list>",
      "where to listen for clients (default http://127.0.0.1:2379)",
      as("texts"),
    )
    .option("--advertise-client-urls <list>", "where clients reach this member", as("texts"))
    .option(
      "--peer-urls <list>",
      "where to listen for other members (default http://127.0.0.1:2380)",
      as("texts"),
    )
    .option("--advertise-peer-urls <list>", "where other members reach this one", as("texts"))
    .option("--initial-cluster <list>", "all members, as name=http://host:port,...")
    .option("--log-file <file>", "log there instead of to standard error")
    .option("-L, --log-level <level>", "debug, info, warn or error (default info)", as("level"))
    .option("--config <file>", "a TOML file with PD's keys; flags win over it")
    .action(async (options: Options) => {
      const file = loadConfig(options.config, PD_SCHEMA);
      const made = pdSettings(options, file, {
        seed: randomInt(2 ** 32),
        clusterIdSeed: randomBytes(8).readBigUInt64BE(),
      });
      if (!made.ok) refuseUsage(made.detail);
      const settings = made.value;
      await serve("the placement member", settings, (logger, failed) =>
        startPdServer(settings, logger, failed),
      );
    });
}
