/**
 * Where clients reach the other members of the placement driver. Members are configured with each
 * other's peer URLs alone; each tells its client URLs on its peer port, and is asked until it did.
 */
import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { json } from "../status/http.ts";
import type { Answer } from "../status/http.ts";
import { clientTls } from "./tls.ts";
import type { NodeTls } from "./tls.ts";

/** Where a member says who it is. */
export const MEMBER_PATH = "/rutile/member";

export interface MemberDirectory {
  /** What is known of the member with this name; empty where it has not answered yet. */
  clientUrls(name: string): readonly string[];
  /** Whether the member answered when it was last asked. This one always does. */
  answers(name: string): boolean;
  stop(): void;
}

interface Known {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

const ASK_EVERY_MS = 500;
const REFRESH_EVERY_MS = 3000;
const ASK_WITHIN_MS = 1000;

export const memberAnswer =
  (name: string, clientUrls: readonly string[]): Answer =>
  () =>
    json({ name, client_urls: clientUrls });

export function createMemberDirectory(
  self: string,
  clientUrls: readonly string[],
  members: readonly Known[],
  tls: NodeTls | undefined,
): MemberDirectory {
  const known = new Map<string, readonly string[]>([[self, clientUrls]]);
  let answering = new Set([self]);
  const others = members.filter(({ name }) => name !== self);
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const refresh = async (): Promise<void> => {
    const answered = new Set([self]);
    await Promise.all(
      others.map(async ({ name, peerUrls }) => {
        for (const url of peerUrls) {
          const urls = await askMember(url, name, tls);
          if (urls === undefined) continue;
          known.set(name, urls);
          answered.add(name);
        }
      }),
    );
    answering = answered;
    if (stopped) return;
    const complete = others.every(({ name }) => known.has(name));
    timer = setTimeout(() => void refresh(), complete ? REFRESH_EVERY_MS : ASK_EVERY_MS);
    timer.unref();
  };
  if (others.length > 0) void refresh();
  return {
    clientUrls: (name) => known.get(name) ?? [],
    answers: (name) => answering.has(name),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Undefined where the member does not answer, or is another one. */
async function askMember(
  url: string,
  name: string,
  tls: NodeTls | undefined,
): Promise<readonly string[] | undefined> {
  try {
    const said = JSON.parse(await pageAt(`${url}${MEMBER_PATH}`, tls)) as {
      name?: unknown;
      client_urls?: unknown;
    };
    if (said.name !== name || !Array.isArray(said.client_urls)) return undefined;
    return said.client_urls.filter((item): item is string => typeof item === "string");
  } catch {
    // It is down or is starting; it will be asked again.
    return undefined;
  }
}

/** What is answered there, whatever its status. */
function pageAt(url: string, tls: NodeTls | undefined): Promise<string> {
  const options = { signal: AbortSignal.timeout(ASK_WITHIN_MS), agent: false } as const;
  return new Promise((resolve, reject) => {
    const asked =
      tls === undefined
        ? requestPlain(url, options)
        : requestSecure(url, { ...options, ...clientTls(tls) });
    asked.once("error", reject);
    asked.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.once("end", () => resolve(body));
      response.once("error", reject);
    });
    asked.end();
  });
}
