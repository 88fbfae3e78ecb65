export { decodeStoreMessage, describeStoreMessage, encodeStoreMessage } from "../region/codec.ts";
