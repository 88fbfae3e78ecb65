/** The thread on which a store's compactions and extractions run. */
import { parentPort, workerData } from "node:worker_threads";
import { runStoreJob } from "../../engine/store/jobs.ts";
import { serveJobs } from "./thread.ts";

if (parentPort !== null) serveJobs(parentPort, String(workerData), runStoreJob);
