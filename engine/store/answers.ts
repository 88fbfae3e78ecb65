/** The placement driver's answers, each handed to whoever asked. */
import { unreachable } from "../base/assert.ts";
import type { Ticket } from "../base/ids.ts";
import { onSafePoints } from "./collection/points.ts";
import { onRegistrationAnswer } from "./registration.ts";
import { onMembership, onRegionOrders } from "./reports.ts";
import { onSplitIds } from "./splits.ts";
import { hearOracle } from "./transactions/oracle.ts";
import { onDetectorNamed } from "./transactions/telling.ts";
import { onResolvedTimestamp } from "./transactions/resolving.ts";
import { onMaxTs } from "./transactions/sync.ts";
import type { StoreTurn } from "./turn.ts";
import type { PlacementAnswer } from "./types.ts";

export function onPlacementAnswer(turn: StoreTurn, ticket: Ticket, answer: PlacementAnswer): void {
  const asked = turn.asked.find((other) => other.ticket === ticket);
  if (asked === undefined) return;
  turn.asked = turn.asked.filter((other) => other !== asked);
  const { purpose } = asked;
  const reply = answer.ok ? answer.reply : undefined;
  if (reply?.method === "Tso") hearOracle(turn, asked.at, reply.response);
  switch (purpose.type) {
    case "registration":
      onRegistrationAnswer(turn, answer);
      return;
    case "store_heartbeat":
      return;
    case "safe_points":
      if (reply?.method === "GetGCState") onSafePoints(turn, reply.response);
      return;
    case "region_heartbeat":
      if (reply?.method === "RegionHeartbeat") {
        onRegionOrders(turn, purpose.region, reply.response);
      }
      return;
    case "check_membership":
      if (reply?.method === "GetRegionByID") onMembership(turn, purpose.region, reply.response);
      return;
    case "max_timestamp":
      onMaxTs(
        turn,
        purpose.region,
        purpose.term,
        reply?.method === "Tso" ? reply.response : undefined,
      );
      return;
    case "resolved_timestamp":
      onResolvedTimestamp(turn, reply?.method === "Tso" ? reply.response : undefined);
      return;
    case "oracle":
    case "resolved_report":
      return;
    case "detector":
      if (reply?.method === "GetRegion") onDetectorNamed(turn, reply.response);
      return;
    case "split":
      onSplitIds(turn, purpose, reply?.method === "AskBatchSplit" ? reply.response : undefined);
      return;
    default:
      unreachable(purpose);
  }
}
