/** The gRPC health service: whether the node, or one of its services, takes calls. */
import {
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../engine/protocol/gen/health.ts";
import type { HealthCheckRequest } from "../../engine/protocol/gen/health.ts";
import { HEALTH_SERVICE } from "../../engine/protocol/services.ts";
import type { Handler, ServerCall } from "../grpc/server-call.ts";
import * as status from "../grpc/status.ts";

export interface Health {
  readonly handler: Handler;
  /** Tells everybody who watches. */
  set(serving: boolean): void;
}

/** `services` are the names that may be asked for beside the empty one, which is the whole node. */
export function createHealth(services: readonly string[]): Health {
  const known = new Set(["", ...services]);
  const watchers = new Set<ServerCall>();
  let serving = false;
  const answer = (): HealthCheckResponse =>
    HealthCheckResponse.make({ status: serving ? Serving.SERVING : Serving.NOT_SERVING });
  return {
    handler: {
      message(call, message) {
        const { service } = message as HealthCheckRequest;
        const watching = call.method.path === HEALTH_SERVICE.methods.Watch.path;
        if (watching) {
          const unknown = HealthCheckResponse.make({ status: Serving.SERVICE_UNKNOWN });
          call.send(known.has(service) ? answer() : unknown);
          if (known.has(service)) watchers.add(call);
        } else if (known.has(service)) {
          call.reply(answer());
        } else {
          call.end(status.NOT_FOUND, `unknown service ${service}`);
        }
      },
      draining(call) {
        watchers.delete(call);
        call.end(status.UNAVAILABLE, "the server is stopping");
      },
      cancelled: (call) => void watchers.delete(call),
    },
    set(now) {
      if (now === serving) return;
      serving = now;
      for (const call of watchers) call.send(answer());
    },
  };
}
