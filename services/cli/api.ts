import { readFileSync } from "node:fs";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { WeftError } from "@weft/core/error";
import { ControlService, type MutationSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import type { GlobalOptions, MutationOptions } from "./options.ts";

export type Api = Client<typeof ControlService>;

/** The control plane's API, as one connection that closes itself when idle. */
export function connectApi({ server, tokenFile, timeoutMs }: GlobalOptions): Api {
  if (!/^https?:\/\/[^\s]+$/.test(server) || !URL.canParse(server)) {
    throw new WeftError("invalid", "cli.usage", `--server ${server} is no http or https URL`);
  }
  const interceptors = tokenFile === undefined ? [] : [withToken(readToken(tokenFile))];
  return createClient(
    ControlService,
    createConnectTransport({
      baseUrl: server,
      httpVersion: "1.1",
      interceptors,
      defaultTimeoutMs: timeoutMs,
      acceptCompression: [],
    }),
  );
}

/** What goes with a mutation: a command id of its own makes sending it twice harmless. */
export function mutationOf(
  { actor }: GlobalOptions,
  { message, expectBase, dryRun, commandId }: MutationOptions,
): MessageInitShape<typeof MutationSchema> {
  return {
    commandId: commandId ?? crypto.randomUUID(),
    actor,
    message,
    dryRun,
    source: "cli",
    ...(expectBase === undefined ? {} : { expectedBase: BigInt(expectBase) }),
  };
}

function withToken(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new WeftError("missing", "cli.no_file", `the token file ${path} cannot be read`, {
      cause,
    });
  }
}
