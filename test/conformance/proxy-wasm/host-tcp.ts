// TCP connections through the plugin of our host.

import { type Connection, Trap } from "@weft/sdk/host";
import type { Case, Move } from "./case.ts";
import { connectionProperties } from "./host-http.ts";
import type { Plugins } from "./host-plugins.ts";
import type { Side } from "./play.ts";
import type { Sides } from "./sides.ts";

type State = "open" | "ended" | "reset";

interface Link {
  readonly connection: Connection | null;
  /** Whether the proxy has connected to the upstream. */
  isConnected: boolean;
  client: State;
  upstream: State;
  /** Whose end came last. */
  lastEnd: "client" | "upstream" | null;
  isOver: boolean;
}

const [LOCAL, REMOTE] = [1, 2];

/** Client and upstream of TCP. */
export function hostConnection({ workers: [worker], guard }: Plugins, one: Case): Sides {
  const all: Link[] = [];
  const open = () => {
    let connection: Connection | null = null;
    guard(() => {
      if (worker?.admit() !== "serve") return;
      connection = worker.host.openConnection(worker.root, connectionProperties(one.id));
    });
    const state = connection === null ? "ended" : "open";
    all.push({
      ...{ connection, isConnected: false, client: state, upstream: "open" },
      ...{ lastEnd: null, isOver: connection === null },
    });
  };
  const close = (link: Link, downstream: number) => {
    if (link.isOver) return;
    link.isOver = true;
    guard(() => link.connection?.close({ downstream }));
  };
  /** Runs what leads into the plugin; a connection whose plugin traps is closed. */
  const into = (link: Link, act: (connection: Connection) => void) => {
    guard(() => {
      try {
        if (link.connection !== null && !link.isOver) act(link.connection);
      } catch (error) {
        if (error instanceof Trap)
          Object.assign(link, { client: "ended", upstream: "ended", isOver: true });
        throw error;
      }
    });
  };
  const settle = () => {
    for (const link of all) settleLink(link, close);
  };
  const doFor = (link: Link | undefined, who: "client" | "upstream", move: Move) => {
    if (link === undefined) return;
    const send = (bytes: string, ends: boolean) =>
      into(link, (connection) => {
        if (ends) link.lastEnd = who;
        if (who === "client") connection.receive(bytes, ends);
        else connection.answer(bytes, ends);
      });
    if (move === "end") send("", true);
    else if (move === "reset") {
      link[who === "client" ? "upstream" : "client"] = "reset";
      close(link, who === "client" ? REMOTE : LOCAL);
    } else if ("bytes" in move) send(move.bytes, false);
  };
  const side = (who: "client" | "upstream"): Side => ({
    get isReady() {
      return who === "client" || (all.at(-1)?.isConnected ?? false);
    },
    do: (move) => {
      if (typeof move === "object" && "open" in move) open();
      else doFor(all.at(-1), who, move);
      settle();
    },
    get received() {
      return bytesFor(all.at(-1), who);
    },
    get isClosed() {
      return all.at(-1)?.[who] !== "open";
    },
    get shown() {
      // A client is one connection at a time; an upstream shows all that were made to it.
      const links = who === "client" ? all.slice(-1) : all.filter(({ isConnected }) => isConnected);
      return links.map((link) => `[${bytesFor(link, who)}] ${link[who]}`);
    },
  });
  return { client: side("client"), upstream: side("upstream"), settle };
}

function bytesFor(link: Link | undefined, who: "client" | "upstream"): string {
  const bytes = who === "client" ? link?.connection?.downstream : link?.connection?.upstream;
  return Buffer.from(bytes ?? []).toString();
}

/** Connects to the upstream, hands ends on, and closes what is over. */
function settleLink(link: Link, close: (link: Link, downstream: number) => void): void {
  const { connection } = link;
  if (connection === null || link.isOver) return;
  if (connection.isReset) {
    if (link.isConnected) link.upstream = "ended";
    link.client = "ended";
    close(link, LOCAL);
    return;
  }
  if (!connection.isHeldBack) link.isConnected = true;
  if (connection.isUpstreamEnded) link.upstream = "ended";
  if (connection.isDownstreamEnded) link.client = "ended";
  const isOver = connection.isUpstreamEnded && connection.isDownstreamEnded;
  if (isOver) close(link, link.lastEnd === "client" ? REMOTE : LOCAL);
}
