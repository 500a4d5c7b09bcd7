// Runs cases in the SDK's host, with clients and upstreams that take no time of their own.

import { createWorld, Died, LoadError, type ProfileName, RefusedError, Trap } from "@weft/sdk/host";
import type { Case } from "./case.ts";
import type { Answers } from "./driver.ts";
import { hostExchanges } from "./host-http.ts";
import { createPlugins } from "./host-plugins.ts";
import { hostConnection } from "./host-tcp.ts";
import { act, play, type Stage } from "./play.ts";

/** Runs a case in our host and answers what it shows. */
export async function driveHost(one: Case, profile: ProfileName): Promise<readonly string[]> {
  const { environment = {} } = one;
  const world = createWorld({ environment, properties: { xds: { node: NODE } } });
  // What the host itself has to say is no plugin's.
  const lines = () =>
    world.logs.flatMap(({ message }) =>
      /^Attempted call to restricted/.test(message) ? [] : [message],
    );
  try {
    const plugins = createPlugins(one, profile, world);
    const sides = one.isTcp ? hostConnection(plugins, one) : hostExchanges(plugins, one);
    const stage: Stage = {
      ...sides,
      lines,
      wait: (isSo, ms) => {
        sides.settle();
        for (let waited = 0; !isSo() && waited < ms; waited++) {
          plugins.pass(1);
          sides.settle();
        }
      },
    };
    const got = await play(one, stage);
    const shown = [...lines(), ...got];
    if (one.removal === undefined) return shown;
    plugins.remove();
    await act(one.removal, one, stage);
    return [...lines(), ...got];
  } catch (error) {
    return [endOf(error)];
  }
}

const NODE = { id: "conformance", cluster: "test" };

/** How a case ends that does not come to its end. */
function endOf(error: unknown): string {
  if (error instanceof Died) return `dies of ${error.signal}`;
  if (error instanceof LoadError || error instanceof Trap || error instanceof RefusedError) {
    return "refused";
  }
  throw error;
}

/** The SDK's host as any other. */
export async function drive(cases: readonly Case[]): Promise<Answers> {
  const answers = new Map<string, readonly string[]>();
  for (const one of cases) answers.set(one.id, await driveHost(one, "envoy-1.40"));
  return answers;
}
