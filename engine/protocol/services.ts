/** (Contract until the generated services take its place.) A call is a method with its request; a reply is the same method with its response. */
export interface PdCall {
  readonly method: string;
  readonly request: unknown;
}
export interface PdReply {
  readonly method: string;
  readonly response: unknown;
}
export interface TikvCall {
  readonly method: string;
  readonly request: unknown;
}
export interface TikvReply {
  readonly method: string;
  readonly response: unknown;
}
