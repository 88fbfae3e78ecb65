/** A service of every shape of call, whose messages are text, for the tests of the gRPC layer. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { reserve } from "../../engine/protocol/writer.ts";
import type { Codec, Method } from "../../runtime/grpc/method.ts";
import { createGrpcServer } from "../../runtime/grpc/server.ts";
import type { GrpcServer } from "../../runtime/grpc/server.ts";
import type { Handler, ServerCall } from "../../runtime/grpc/server-call.ts";

/** Text; the text "\u0000" is malformed. */
const text: Codec<string> = {
  write(writer, message) {
    const bytes = Buffer.from(message, "utf8");
    const at = reserve(writer, bytes.length);
    writer.buffer.set(bytes, at);
  },
  decode(bytes) {
    const message = Buffer.from(bytes).toString("utf8");
    return message === "\0" ? { ok: false, reason: "no text" } : { ok: true, value: message };
  },
};

const method = (
  name: string,
  clientStreaming: boolean,
  serverStreaming: boolean,
): Method<string, string> => ({
  path: `/test.Echo/${name}`,
  request: text,
  response: text,
  clientStreaming,
  serverStreaming,
});

type Echo = Method<string, string>;

export const ECHO_SERVICE: {
  readonly name: string;
  readonly methods: Readonly<Record<"Unary" | "Collect" | "Repeat" | "Chat", Echo>>;
} = {
  name: "test.Echo",
  methods: {
    Unary: method("Unary", false, false),
    Collect: method("Collect", true, false),
    Repeat: method("Repeat", false, true),
    Chat: method("Chat", true, true),
  },
};

export interface EchoServer {
  readonly address: string;
  readonly grpc: GrpcServer;
  /** One line for each call that was cancelled, and for each that has ended. */
  readonly events: string[];
  close(): Promise<void>;
}

/**
 * Unary answers in upper case; `fail:CODE:TEXT` fails; `never` waits. Collect joins what it got at
 * the half-close. Repeat answers three times. Chat answers each message; `bye` ends the call.
 */
export async function startEchoServer(
  maxMessageBytes: number = 1 << 20,
  port = 0,
): Promise<EchoServer> {
  const events: string[] = [];
  const parts = new Map<ServerCall, string[]>();
  const handler: Handler = {
    message(call, message) {
      const said = message as string;
      const failure = /^fail:(\d+):(.*)$/s.exec(said);
      if (failure !== null) return call.end(Number(failure[1]), failure[2]);
      if (said === "never") return undefined;
      if (said.startsWith("metadata:")) {
        return call.reply(String(call.headers[said.slice("metadata:".length)]));
      }
      switch (call.method.path) {
        case ECHO_SERVICE.methods.Unary.path:
          return call.reply(said.toUpperCase());
        case ECHO_SERVICE.methods.Collect.path:
          parts.set(call, [...(parts.get(call) ?? []), said]);
          return undefined;
        case ECHO_SERVICE.methods.Repeat.path:
          for (let i = 0; i < 3; i++) call.send(`${said}${i}`);
          return call.end();
        default:
          if (said === "bye") return call.end();
          return call.send(said.toUpperCase());
      }
    },
    halfClosed(call) {
      if (call.method.serverStreaming) call.end();
      else call.reply((parts.get(call) ?? []).join(","));
    },
    cancelled: (call) => void events.push(`cancelled ${call.method.path}`),
  };
  const grpc = createGrpcServer({
    services: [{ service: ECHO_SERVICE, handler }],
    maxMessageBytes,
    observe: (called, code) => void events.push(`ended ${called.path} ${code}`),
  });
  const server = createServer({ noDelay: true }, (socket) => grpc.accept(socket));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    grpc,
    events,
    async close() {
      server.close();
      await grpc.close(0);
    },
  };
}
