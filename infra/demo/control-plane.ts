import { join, resolve } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ControlService } from "@weft/proto/weft/control/v1/control_pb.ts";
import { type Program, startProgram } from "./programs.ts";

const root = resolve(import.meta.dirname, "../..");

/** The command line, as Node runs it. */
export const CLI = join(root, "services/cli/main.ts");

/** Where a control plane is: what `weft up` and `weft serve` print with `-o json` once they are ready. */
export interface Addresses {
  readonly api: string;
  /** host:port, mTLS. */
  readonly xds: string;
  /** host:port, plaintext, loopback. */
  readonly xdsPlain: string;
  readonly monitor: string;
  readonly nats: string;
}

export interface ControlPlane extends AsyncDisposable {
  readonly addresses: Addresses;
  readonly program: Program;
  readonly api: Client<typeof ControlService>;
}

/** Starts `weft up` or `weft serve` as a program of its own and waits until it is ready. */
export async function startControlPlane(args: readonly string[]): Promise<ControlPlane> {
  const program = await startProgram(CLI, { args: [...args, "-o", "json"] });
  const addresses = JSON.parse(program.firstLine) as Addresses;
  return {
    addresses,
    program,
    api: connectApi(addresses.api),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

export function connectApi(baseUrl: string): Client<typeof ControlService> {
  return createClient(ControlService, createConnectTransport({ baseUrl, httpVersion: "1.1" }));
}
