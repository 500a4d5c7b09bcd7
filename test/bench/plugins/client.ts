import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";

/** What one window of requests showed. */
export interface Window {
  /** Of each request, in the order of their ends. */
  readonly latenciesUs: readonly number[];
}

/** Connections that are kept open, each with one request under way at a time. */
export interface Client {
  /** Sends requests over so many of the connections for so long, and waits for the last answers. */
  run(options: { readonly connections: number; readonly ms: number }): Promise<Window>;
  close(): void;
}

export interface ClientOptions {
  readonly port: number;
  readonly connections: number;
  /** Names and values in turn; the rest of a GET is added. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly path: string;
}

const END = "\r\n\r\n";

/** Opens the connections. A request that is not answered with 200 is an error. */
export async function createClient(options: ClientOptions): Promise<Client> {
  const { port, connections, headers, path } = options;
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: bench\r\n${lines}\r\n`);
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  return {
    run: async ({ connections: used, ms }) => {
      const latenciesUs: number[] = [];
      const until = performance.now() + ms;
      await Promise.all(
        sockets.slice(0, used).map((socket) => repeat(socket, { request, until, latenciesUs })),
      );
      return { latenciesUs };
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

interface Repetition {
  readonly request: Buffer;
  readonly until: number;
  readonly latenciesUs: number[];
}

/** Sends the request again and again on one connection, each when the one before is answered. */
async function repeat(socket: Socket, { request, until, latenciesUs }: Repetition): Promise<void> {
  await new Promise<void>((done, fail) => {
    let sent = performance.now();
    let got = "";
    const end = (error?: Error) => {
      socket.off("data", take).off("error", end).off("close", closed);
      if (error === undefined) done();
      else fail(error);
    };
    const closed = () => end(new Error("Envoy has closed a connection"));
    const take = (chunk: Buffer) => {
      got += chunk.toString("latin1");
      const size = wholeSize(got);
      if (size === null || got.length < size) return;
      if (!got.startsWith("HTTP/1.1 200 ")) return end(new Error(`unexpected answer: ${got}`));
      const now = performance.now();
      latenciesUs.push((now - sent) * 1_000);
      if (now >= until) return end();
      got = "";
      sent = now;
      socket.write(request);
    };
    socket.on("data", take).on("error", end).on("close", closed);
    socket.write(request);
  });
}

const LENGTH = /\r\ncontent-length: (\d+)\r\n/;

/** Bytes of an answer, as soon as its headers are there. */
function wholeSize(got: string): number | null {
  const head = got.indexOf(END);
  if (head < 0) return null;
  return head + END.length + Number(LENGTH.exec(got)?.[1] ?? 0);
}
