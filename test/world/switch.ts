import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP door that leads to one place at a time, so that a test can move clients to another. */
export interface Switch extends AsyncDisposable {
  /** host:port */
  readonly address: string;
  /** Cuts every connection; the next ones lead to `target`. */
  lead(target: string): Promise<void>;
}

export async function createSwitch(target: string): Promise<Switch> {
  let current = target;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const [host = "", port = ""] = current.split(":");
    const upstream = connect(Number(port), host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async lead(next) {
      current = next;
      cut();
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((done) => server.close(done));
    },
  };
}
