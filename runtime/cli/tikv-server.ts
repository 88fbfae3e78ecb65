/** `rutile tikv-server`: one store. Flags are those of tikv-server. */
import { randomInt } from "node:crypto";
import type { Command } from "commander";
import { TIKV_SCHEMA, tikvSettings } from "../config/tikv.ts";
import type { TikvFlags } from "../config/tikv.ts";
import { startTikvServer } from "../node/tikv-server.ts";
import { as, loadConfig } from "./flags.ts";
import { refuseUsage, serve } from "./serve.ts";

type Options = TikvFlags & { readonly config?: string; readonly pd?: readonly string[] };

export function addTikvServer(program: Command): void {
  program
    .command("tikv-server")
    .description("run one store")
    .option("--pd-endpoints <list>", "client addresses of the placement driver", as("texts"))
    .option("--pd <list>", "the same as --pd-endpoints", as("texts"))
    .option("-A, --addr <address>", "where to listen (default 127.0.0.1:20160)", as("address"))
    .option("--advertise-addr <address>", "where others reach this store", as("address"))
    .option(
      "--status-addr <address>",
      "where to serve /status and /metrics (default 127.0.0.1:20180)",
      as("address"),
    )
    .option("--advertise-status-addr <address>", "where others reach that", as("address"))
    .option("-s, --data-dir <directory>", "where the data lie (default ./)")
    .option("--capacity <size>", "what the store may use of its disk (default all)", as("size"))
    .option("--labels <labels>", 'where the store is, as "zone=a,host=b"', as("labels"))
    .option("-f, --log-file <file>", "log there instead of to standard error")
    .option("-L, --log-level <level>", "debug, info, warn or error (default info)", as("level"))
    .option("-C, --config <file>", "a TOML file with TiKV's keys; flags win over it")
    .action(async (options: Options) => {
      const flags = options.pd === undefined ? options : { pdEndpoints: options.pd, ...options };
      const file = loadConfig(options.config, TIKV_SCHEMA);
      const made = tikvSettings(flags, file, randomInt(2 ** 32));
      if (!made.ok) refuseUsage(made.detail);
      const { settings } = made;
      await serve("the store", settings, (logger, failed) =>
        startTikvServer(settings, logger, failed),
      );
    });
}
