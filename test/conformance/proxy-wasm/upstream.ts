// Upstreams behind a real proxy: one that echoes, those that do as their case has it, and a server
// of gRPC. Callouts go to the first, by path, and to the last, by method.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import type { CalloutResponse, GrpcAnswer, Header } from "@weft/sdk/host";
import { type Answered, answerCallout, methodOf } from "./answers.ts";
import { tcpSide } from "./client.ts";
import type { Side } from "./play.ts";

export interface Upstream {
  readonly port: number;
  readonly side: Side;
  close(): void;
}

/** An upstream that is never asked. */
export const NOBODY: Side = {
  isReady: false,
  do: () => {},
  received: "",
  isClosed: false,
  shown: [],
};

async function listen(server: Server, side: Side, close: () => void = () => {}): Promise<Upstream> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    side,
    close: () => {
      server.close();
      close();
    },
  };
}

/** The headers of a message as pairs, their names in lower case. */
const pairsOf = (raw: readonly string[]): Header[] =>
  raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1] ?? ""]] : []));

/** Echoes requests, and answers callouts as their paths say. */
export async function echoingUpstream(): Promise<Upstream> {
  const server = createServer((message, response) => {
    let body = "";
    message.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    message
      .on("error", () => {})
      .on("end", () => {
        const headers = pairsOf(message.rawHeaders);
        const request = { headers, body, trailers: pairsOf(message.rawTrailers) };
        const answer = answerCallout(message.url ?? "", request);
        if (answer === "drop") message.socket.destroy();
        if (answer === "drop" || answer === "silence") return;
        setTimeout(() => respond(response, answer), answer.delayMs ?? 0);
      });
  });
  return await listen(server, NOBODY, () => server.closeAllConnections());
}

function respond(response: ServerResponse, { headers = [], ...answer }: CalloutResponse): void {
  const [[, status = ""] = [], ...own] = headers;
  response.writeHead(Number(status), own.flat());
  response.write(answer.body ?? "");
  response.addTrailers((answer.trailers ?? []).map((each) => [...each] as [string, string]));
  response.end();
}

/** An upstream of HTTP that does what its case has. */
export async function playedHttpUpstream(): Promise<Upstream> {
  const requests: { message: IncomingMessage; response: ServerResponse; body: string }[] = [];
  const server = createServer((message, response) => {
    const request = { message, response, body: "" };
    requests.push(request);
    message.on("error", () => {});
    message.setEncoding("utf8").on("data", (text: string) => {
      request.body += text;
    });
  });
  const isOver = (message: IncomingMessage) => message.complete || message.destroyed;
  const side: Side = {
    get isReady() {
      return requests.length > 0;
    },
    do: (move) => {
      const { response, message } = requests.at(-1) ?? {};
      if (response === undefined || message === undefined) return;
      if (move === "end") response.end();
      else if (move === "reset") message.socket.resetAndDestroy();
      else if ("bytes" in move) response.write(move.bytes);
      else if ("trailers" in move) {
        response.addTrailers(move.trailers.map((each) => [...each] as [string, string]));
        response.end();
      } else {
        const [[, status = "200"] = []] = move.open.filter(([name]) => name === ":status");
        const own = move.open.filter(([name]) => name !== ":status");
        const empty = move.ends === true ? ["content-length", "0"] : [];
        response.writeHead(Number(status), [...own.flat(), ...empty]);
        response.flushHeaders();
        if (move.ends === true) response.end();
      }
    },
    get received() {
      return requests.at(-1)?.body ?? "";
    },
    get isClosed() {
      const message = requests.at(-1)?.message;
      return message !== undefined && isOver(message);
    },
    get shown() {
      return requests.map(({ message, body }) => {
        const trailers = pairsOf(message.rawTrailers).map((each) => each.join("="));
        const end = message.complete ? [] : [message.destroyed ? "reset" : "unfinished"];
        return [`[${body}]`, ...trailers, ...end].join(" ");
      });
    },
  };
  return await listen(server, side, () => server.closeAllConnections());
}

/** An upstream of TCP that does what its case has. */
export async function playedTcpUpstream(): Promise<Upstream> {
  const sides: Side[] = [];
  const close: (() => void)[] = [];
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    sides.push(tcpSide(socket));
    close.push(() => socket.destroy());
  });
  const last = () => sides.at(-1) ?? NOBODY;
  const side: Side = {
    get isReady() {
      return last().isReady;
    },
    do: (move) => last().do(move),
    get received() {
      return last().received;
    },
    get isClosed() {
      return last().isClosed;
    },
    get shown() {
      return sides.flatMap(({ shown }) => shown);
    },
  };
  return await listen(server, side, () => {
    for (const each of close) each();
  });
}

const FRAME_HEAD_BYTES = 5;

/** A message as gRPC frames it: not compressed, its length, its bytes. */
function frame(text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text as Uint8Array);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([head, bytes]);
}

/** A server of gRPC without a schema. */
export async function grpcUpstream(): Promise<Upstream> {
  const server = createHttp2Server();
  const sessions = new Set<{ destroy(): void }>();
  server.on("stream", serveCall).on("session", (session) => {
    sessions.add(session.on("error", () => {}).on("close", () => sessions.delete(session)));
  });
  return await listen(server, NOBODY, () => {
    for (const session of sessions) session.destroy();
  });
}

/** A reset that tells of no mistake of the client's. */
const CANCEL = 8;

function serveCall(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const method = methodOf((headers[":path"] ?? "").split("/").at(-1) ?? "");
  const metadata = Object.entries(headers).map(([name, value]): Header => [name, String(value)]);
  const answer = (said: Answered<GrpcAnswer>) => {
    if (said === "silence" || stream.destroyed || stream.writableEnded) return;
    if (said === "drop") return stream.close(CANCEL);
    const { initialMetadata = [], messages = [], trailingMetadata = [], status } = said;
    const end = { "grpc-status": String(status), "grpc-message": said.statusMessage ?? "" };
    const trailers = { ...end, ...Object.fromEntries(trailingMetadata) };
    const isOver = status !== undefined;
    const isBare = isOver && messages.length === 0 && !stream.headersSent;
    if (!stream.headersSent && (isOver || messages.length > 0)) {
      const head = { ":status": 200, "content-type": "application/grpc" };
      const own = isBare ? trailers : Object.fromEntries(initialMetadata);
      const options = isBare ? { endStream: true } : { waitForTrailers: true };
      stream.respond({ ...head, ...own }, { ...options, sendDate: false } as object);
    }
    for (const each of messages) stream.write(frame(each));
    if (!isOver || isBare) return;
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end();
  };
  let rest = Buffer.alloc(0);
  stream.on("error", () => {});
  stream.on("data", (part: Buffer) => {
    rest = Buffer.concat([rest, part]);
    while (rest.length >= FRAME_HEAD_BYTES) {
      const end = FRAME_HEAD_BYTES + rest.readUInt32BE(1);
      if (rest.length < end) break;
      answer(method.onMessage(rest.toString("utf8", FRAME_HEAD_BYTES, end), metadata));
      rest = rest.subarray(end);
    }
  });
  stream.on("end", () => answer(method.onEnd));
}
