export { decodeStoreMessage, describeStoreMessage, encodeStoreMessage } from "../region/codec.ts";
export type { Replica } from "../region/replica.ts";
export { open, type OpenStore } from "./open.ts";
export { damage, identity, isJoined, replicas, storeId, trouble, view } from "./query.ts";
export type { StoreState } from "./state.ts";
export { step, type StoreStep } from "./step.ts";
export type * from "./types.ts";
