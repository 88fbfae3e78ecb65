/**
 * A node's line to the placement driver: it finds the leader among the members, follows it when it
 * changes, and gives up on a call after a few seconds. Region heartbeats share one stream, on which
 * answers come in the order of the questions; every other call is a call of its own.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { GetMembersRequest } from "../../engine/protocol/gen/pdpb.ts";
import type {
  RegionHeartbeatRequest,
  RegionHeartbeatResponse,
} from "../../engine/protocol/gen/pdpb.ts";
import { PD_SERVICE } from "../../engine/protocol/services.ts";
import type { PdCall, PdReply } from "../../engine/protocol/services.ts";
import type { PlacementAnswer } from "../../engine/store/types.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { createGrpcClient } from "../grpc/client.ts";
import type { ClientStream, GrpcClient } from "../grpc/client.ts";
import type { Method } from "../grpc/method.ts";
import * as status from "../grpc/status.ts";
import type { Status } from "../grpc/status.ts";
import type { Logger } from "../log.ts";
import { clientTls } from "./tls.ts";
import type { NodeTls } from "./tls.ts";

export interface PlacementClient {
  /** Never rejects. */
  ask(call: PdCall): Promise<PlacementAnswer>;
  close(): void;
}

const FIND_LEADER_WITHIN_MS = 1000;
const ATTEMPT_WITHIN_MS = 3000;
const GIVE_UP_AFTER_MS = 5000;
const RETRY_AFTER_MS = 100;
const UNAVAILABLE: PlacementAnswer = { ok: false, reason: "unavailable" };

/** `endpoints` are some or all of the members' client addresses, as `host:port`. */
export function createPlacementClient(
  endpoints: readonly string[],
  logger: Logger,
  tls: NodeTls | undefined,
): PlacementClient {
  const line = new Line(endpoints, logger, tls);
  return {
    ask: (call) => (call.method === "RegionHeartbeat" ? line.beat(call.request) : line.call(call)),
    close: () => line.close(),
  };
}

class Line {
  readonly #logger: Logger;
  readonly #tls: NodeTls | undefined;
  /** Where a member may be found. Members that were learned of are added. */
  readonly #addresses: Set<string>;
  readonly #clients = new Map<string, GrpcClient>();
  #leader: string | undefined;
  #finding: Promise<string | undefined> | undefined;
  #heartbeats: HeartbeatStream | undefined;
  /** The leader that the log has named last; undefined while none answers. */
  #reported: string | undefined = "";
  #closed = false;

  constructor(endpoints: readonly string[], logger: Logger, tls: NodeTls | undefined) {
    this.#addresses = new Set(endpoints);
    this.#tls = tls;
    this.#logger = logger;
  }

  async call(call: PdCall): Promise<PlacementAnswer> {
    // The table pairs each method with its messages; here the types are erased.
    const method = PD_SERVICE.methods[call.method] as unknown as Method;
    const deadline = performance.now() + GIVE_UP_AFTER_MS;
    while (!this.#closed) {
      const leader = await this.#findLeader();
      const left = deadline - performance.now();
      if (leader !== undefined && left > 0) {
        const timeoutMs = Math.min(ATTEMPT_WITHIN_MS, left);
        const result = await this.#client(leader).unary(method, call.request, { timeoutMs });
        if (result.ok) {
          return { ok: true, reply: { method: call.method, response: result.response } as PdReply };
        }
        if (!this.#isMoved(result)) return this.#refused(call.method, result);
        this.#forget(leader);
      }
      if (performance.now() + RETRY_AFTER_MS > deadline) break;
      await sleep(RETRY_AFTER_MS);
    }
    return UNAVAILABLE;
  }

  async beat(request: RegionHeartbeatRequest): Promise<PlacementAnswer> {
    const leader = await this.#findLeader();
    if (leader === undefined || this.#closed) return UNAVAILABLE;
    if (this.#heartbeats?.address !== leader || this.#heartbeats.ended) {
      this.#heartbeats?.cancel();
      this.#heartbeats = new HeartbeatStream(leader, this.#client(leader), () =>
        this.#forget(leader),
      );
    }
    return this.#heartbeats.beat(request);
  }

  close(): void {
    this.#closed = true;
    this.#heartbeats?.cancel();
    for (const client of this.#clients.values()) client.close();
  }

  #client(address: string): GrpcClient {
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = createGrpcClient(address, this.#tls && clientTls(this.#tls));
      this.#clients.set(address, client);
    }
    return client;
  }

  /** Whether another member, or the same one later, may answer better. */
  #isMoved({ code, message }: Status): boolean {
    return (
      code === status.UNAVAILABLE ||
      code === status.DEADLINE_EXCEEDED ||
      code === status.CANCELLED ||
      message.includes("not leader") ||
      message.includes("no leader")
    );
  }

  #refused(method: string, { code, message }: Status): PlacementAnswer {
    this.#logger.log("error", "the placement driver refused a call", { method, code, message });
    return UNAVAILABLE;
  }

  #forget(leader: string): void {
    if (this.#leader === leader) this.#leader = undefined;
  }

  async #findLeader(): Promise<string | undefined> {
    if (this.#leader !== undefined) return this.#leader;
    this.#finding ??= this.#askForLeader();
    const found = await this.#finding;
    this.#finding = undefined;
    return found;
  }

  /** Asks all members at once, as some may be down; the first that knows a leader decides. */
  async #askForLeader(): Promise<string | undefined> {
    const asked = [...this.#addresses].map(async (address) => {
      const leader = await this.#askMember(address);
      if (leader === undefined) throw new Error("no leader known");
      return leader;
    });
    const leader = await Promise.any(asked).catch(() => undefined);
    this.#report(leader);
    this.#leader = leader;
    return leader;
  }

  async #askMember(address: string): Promise<string | undefined> {
    const result = await this.#client(address).unary(
      PD_SERVICE.methods.GetMembers,
      GetMembersRequest.make(),
      { timeoutMs: FIND_LEADER_WITHIN_MS },
    );
    if (!result.ok || (result.response.header?.clusterId ?? 0n) === 0n) return undefined;
    for (const member of result.response.members) {
      for (const url of member.clientUrls) this.#learn(url);
    }
    const [url] = result.response.leader?.clientUrls ?? [];
    return url === undefined ? undefined : this.#learn(url);
  }

  #learn(url: string): string | undefined {
    const address = parseAddress(url);
    if (address === undefined) return undefined;
    const text = formatAddress(address);
    this.#addresses.add(text);
    return text;
  }

  /** One line when the leader is another, when it is lost, and when there is one again. */
  #report(leader: string | undefined): void {
    if (this.#closed) return;
    if (leader === this.#reported) return;
    this.#reported = leader;
    if (leader === undefined) {
      const members = [...this.#addresses].join(",");
      this.#logger.log("warn", "no leader of the placement driver answers", { members });
    } else {
      this.#logger.log("info", "found the leader of the placement driver", { leader });
    }
  }
}

type Answered = (answer: PlacementAnswer) => void;

/** One stream of heartbeats to one member. */
class HeartbeatStream {
  readonly address: string;
  readonly #stream: ClientStream<RegionHeartbeatRequest>;
  #waiting: Answered[] = [];
  #timer: NodeJS.Timeout | undefined;
  ended = false;

  constructor(address: string, client: GrpcClient, lost: () => void) {
    this.address = address;
    this.#stream = client.stream(PD_SERVICE.methods.RegionHeartbeat, {
      message: (response) => this.#answered(response),
      ended: () => {
        lost();
        this.#end();
      },
    });
  }

  beat(request: RegionHeartbeatRequest): Promise<PlacementAnswer> {
    return new Promise((resolve) => {
      if (this.ended) return resolve(UNAVAILABLE);
      this.#waiting.push(resolve);
      this.#timer ??= this.#watch();
      return this.#stream.send(request);
    });
  }

  cancel(): void {
    this.#stream.cancel();
    this.#end();
  }

  #answered(response: RegionHeartbeatResponse): void {
    clearTimeout(this.#timer);
    const answer = this.#waiting.shift();
    this.#timer = this.#waiting.length > 0 ? this.#watch() : undefined;
    answer?.({ ok: true, reply: { method: "RegionHeartbeat", response } });
  }

  /** A member that is silent while questions wait has gone. */
  #watch(): NodeJS.Timeout {
    return setTimeout(() => this.cancel(), GIVE_UP_AFTER_MS);
  }

  #end(): void {
    this.ended = true;
    clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const answer of waiting) answer(UNAVAILABLE);
  }
}
