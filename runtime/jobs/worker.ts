/**
 * What a store's worker runs: the engine's jobs, on the directory that the thread is started with.
 */
import { parentPort, workerData } from "node:worker_threads";
import { runJob } from "../../engine/storage/lsm/job.ts";
import { serveJobs } from "./thread.ts";

if (parentPort !== null) serveJobs(parentPort, String(workerData), runJob);
