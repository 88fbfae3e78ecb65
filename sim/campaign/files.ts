/** What campaigns need of the machine they run on (`runtime/cli/campaign-files.ts` for Node). */

/** The directory of a campaign, which nobody else may use until it is closed. */
export interface CampaignFiles {
  /** The journal's lines, without their ends. One that was not finished is cut off before. */
  readonly lines: Iterable<string>;
  /** Adds whole lines to the journal. Says what is wrong where that failed. */
  append(text: string): string | undefined;
  /** Makes what was added outlast a failure of power. */
  sync(): string | undefined;
  /** Writes a file anew, so that whoever reads it meets the old one or the new one whole. */
  write(name: string, text: string): string | undefined;
  close(): void;
}

export type CampaignOpened =
  | { readonly ok: true; readonly files: CampaignFiles }
  | { readonly ok: false; readonly problem: string };

export type JournalRead =
  | { readonly ok: true; readonly lines: Iterable<string> }
  | { readonly ok: false; readonly problem: string };

export interface CampaignHost {
  /** Names the code that runs: the same name, the same code. */
  build(): string;
  /** Takes a directory, made where there is none; refused where it holds anything else. */
  open(directory: string): CampaignOpened;
  /** The journal of somebody's campaign, which may be under way. */
  read(directory: string): JournalRead;
  /** A directory for reports alone, made where there is none. */
  openReports(directory: string): CampaignOpened;
  /** A page as one file that asks nothing of any network; `body` is HTML. */
  page(title: string, body: string): string;
  /** `act` is called once, when the process is asked to stop; the second time stops it. */
  onInterrupt(act: () => void): void;
}
