/** The worker's end of the tests of the job runner. */
import { parentPort, workerData } from "node:worker_threads";
import { serveJobs } from "../../runtime/jobs/thread.ts";
import { countingCode } from "./job-code.ts";

if (parentPort !== null) serveJobs(parentPort, String(workerData), countingCode);
