/** The two files of a report. */
import type { CampaignFiles, CampaignHost } from "./files.ts";
import { pageBody, pageTitle } from "./page.ts";
import { type Report, reportText } from "./report.ts";

/** Writes both; says what is wrong where that failed. */
export const writeReport = (
  report: Report,
  files: CampaignFiles,
  host: CampaignHost,
): string | undefined =>
  files.write("report.json", reportText(report)) ??
  files.write("report.html", host.page(pageTitle(report), pageBody(report)));

/** Where they are, for people. */
export const reportsIn = (directory: string): string =>
  `report: ${directory}/report.html, ${directory}/report.json\n`;
