import { once } from "node:events";
import { Agent, request } from "node:http";
import type { PluginEnvoy } from "./plugin-envoy.ts";

export interface Load {
  readonly requests: number;
  /** Requests at a time, each on a connection that stays. */
  readonly connections: number;
}

/** Makes so many requests. @throws Error for the first that is not answered with 200 */
export async function loadPlugin({ port }: PluginEnvoy, load: Load): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  let left = load.requests;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const asked = request({ host: "127.0.0.1", port, agent, path: "/load?a=1" }).end();
      const [response] = await once(asked, "response");
      const body = Buffer.concat(await response.toArray()).toString();
      if (response.statusCode !== 200) {
        throw new Error(`answered with ${response.statusCode}: ${body}`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: load.connections }, client));
  } finally {
    agent.destroy();
  }
}
