// Clients of a real proxy: what they send is what a case's play has, what they show is the answer.

import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import type { Header } from "@weft/sdk/host";
import type { Move } from "./case.ts";
import type { Side } from "./play.ts";

export interface Place {
  readonly host: string;
  readonly port: number;
}

interface Exchange {
  readonly sent: ClientRequest;
  response: IncomingMessage | null;
  text: string;
  isClosed: boolean;
  isBroken: boolean;
}

/** Headers by which a case shows what the plugin did. */
const SHOWN = ["x-saw", "x-added"];

/** A client that makes one HTTP request after the other, each on a connection of its own. */
export function httpClient({ host, port }: Place): Side & { end(): void } {
  const exchanges: Exchange[] = [];
  const open = (headers: readonly Header[], ends: boolean) => {
    const pseudo = new Map(headers.filter(([name]) => name.startsWith(":")));
    const own = headers.filter(([name]) => !name.startsWith(":"));
    const method = pseudo.get(":method") ?? (ends ? "GET" : "POST");
    const authority = pseudo.get(":authority") ?? "probe";
    // A request without a host is what proxies refuse by themselves.
    const target = authority === "" ? [] : ["host", authority];
    const framing = ends ? [] : ["transfer-encoding", "chunked"];
    const all = [...target, "connection", "close", ...framing, ...own.flat()];
    const sent = request({ host, port, path: "/path?query", method, headers: all });
    const one: Exchange = { sent, response: null, text: "", isClosed: false, isBroken: false };
    exchanges.push(one);
    const breaks = () => {
      if (!one.isClosed) [one.isClosed, one.isBroken] = [true, true];
    };
    sent.on("error", breaks).on("close", breaks);
    sent.on("response", (response) => {
      one.response = response;
      response.setEncoding("utf8").on("data", (part: string) => {
        one.text += part;
      });
      response.on("end", () => {
        one.isClosed = true;
      });
      response.on("error", breaks);
    });
    sent.flushHeaders();
    if (ends) sent.end();
  };
  const last = () => exchanges.at(-1);
  return {
    isReady: true,
    do: (move) => {
      if (typeof move === "object" && "open" in move) open(move.open, move.ends ?? false);
      else send(last()?.sent, move);
    },
    get received() {
      return last()?.text ?? "";
    },
    get isClosed() {
      return last()?.isClosed ?? false;
    },
    get shown() {
      return exchanges.map(shownOf);
    },
    end: () => {
      for (const { sent } of exchanges) sent.destroy();
    },
  };
}

function send(to: ClientRequest | undefined, move: Exclude<Move, { open: unknown }>): void {
  if (to === undefined) return;
  if (move === "end") to.end();
  else if (move === "reset") to.destroy();
  else if ("bytes" in move) to.write(move.bytes);
  else {
    to.addTrailers(move.trailers.map((each) => [...each] as [string, string]));
    to.end();
  }
}

function shownOf({ response, text, isClosed, isBroken }: Exchange): string {
  if (response === null) return isClosed ? "reset" : "nothing";
  const shown = SHOWN.flatMap((name) => response.headers[name] ?? []);
  const trailers = Object.entries(response.trailers).map((each) => each.join("="));
  const end = isBroken ? ["reset"] : isClosed ? [] : ["unfinished"];
  return [response.statusCode, text, ...shown, ...trailers, ...end].join(" ");
}

/** A client of TCP, on one connection. */
export function tcpClient({ host, port }: Place): Side & { end(): void } {
  let socket: Socket | null = null;
  let side: Side | null = null;
  return {
    isReady: true,
    do: (move) => {
      if (typeof move === "object" && "open" in move) {
        socket = connect({ host, port, allowHalfOpen: true });
        side = tcpSide(socket);
      } else side?.do(move);
    },
    get received() {
      return side?.received ?? "";
    },
    get isClosed() {
      return side?.isClosed ?? false;
    },
    get shown() {
      return side?.shown ?? ["nothing"];
    },
    end: () => socket?.destroy(),
  };
}

/** One end of a TCP connection. */
export function tcpSide(socket: Socket): Side {
  let received = "";
  let state: "open" | "ended" | "reset" = "open";
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  socket.on("end", () => {
    state = "ended";
  });
  socket.on("error", () => {
    state = "reset";
  });
  return {
    isReady: true,
    do: (move) => {
      if (move === "end") socket.end();
      else if (move === "reset") socket.resetAndDestroy();
      else if ("bytes" in move) socket.write(move.bytes);
    },
    get received() {
      return received;
    },
    get isClosed() {
      return state !== "open";
    },
    get shown() {
      return [`[${received}] ${state}`];
    },
  };
}
