import { createHost, type Host } from "../host/index.ts";

/** The plugins of `probe/memory`, by root id, each with what a request does to it. */
export const KINDS = ["plain", "body", "callout", "configured"] as const;

export interface Traffic {
  readonly host: Host;
  serve(requests: number): void;
}

const SETTINGS = { cookies: ["tier", "session"], tiers: { gold: 1, silver: 2 } };

/** Users that come again and again; each is a label of a metric. */
const USERS = 100;

/** Starts one of the plugins and serves it requests, each with a stream of its own. */
export function createTraffic(wasm: Uint8Array, kind: (typeof KINDS)[number]): Traffic {
  const host = createHost(wasm);
  host.upstream("authz").on(() => ({ headers: [[":status", "200"]], delayMs: 10 }));
  const configuration = kind === "configured" ? JSON.stringify(SETTINGS) : "";
  const root = host.start(configuration, { rootId: kind });
  if (root === null) throw new Error(`${kind} does not start`);
  const serve = (i: number) => {
    const stream = host.openStream(root);
    stream.requestHeaders(
      [
        [":path", "/orders"],
        ["x-user", `user-${i % USERS}`],
        ["cookie", "session=0123456789; tier=gold"],
      ],
      kind !== "body",
    );
    if (kind === "body") {
      stream.requestBody("x".repeat(i % 3_000), false);
      stream.requestBody("end", true);
    }
    if (kind === "callout" && i % 2 === 0) host.advance(10);
    if (kind === "plain") stream.responseHeaders([[":status", "200"]]);
    stream.close();
    if (kind === "callout" && i % 2 === 1) host.advance(10);
  };
  return {
    host,
    serve: (requests) => {
      for (let i = 0; i < requests; i++) serve(i);
    },
  };
}
