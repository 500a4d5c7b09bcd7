import {
  RedirectAction_RedirectResponseCode as Code,
  type RedirectActionSchema,
} from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import {
  type HttpRedirect,
  HttpRedirect_RedirectPortSelection as PortSelection,
} from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import type { Init } from "./init.ts";

type RedirectInit = Init<typeof RedirectActionSchema>;

const CODES: Readonly<Record<number, Code>> = {
  301: Code.MOVED_PERMANENTLY,
  302: Code.FOUND,
  303: Code.SEE_OTHER,
  307: Code.TEMPORARY_REDIRECT,
  308: Code.PERMANENT_REDIRECT,
};

/** Ports that a URL of the scheme does not spell out. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Where the client is sent instead. `requestPort` is the port that the request came in at. */
export function redirectAction(redirect: HttpRedirect, requestPort: number): RedirectInit {
  const { scheme, authority, uri, prefixRewrite } = redirect;
  const port = portOf(redirect, requestPort);
  const isDefault = port === DEFAULT_PORTS[scheme === "" ? "http" : scheme];
  return {
    responseCode: CODES[redirect.redirectCode] ?? Code.MOVED_PERMANENTLY,
    hostRedirect: authority,
    ...(port !== 0 && !isDefault && { portRedirect: port }),
    ...(scheme !== "" && { schemeRewriteSpecifier: { case: "schemeRedirect", value: scheme } }),
    ...(prefixRewrite !== "" && {
      pathRewriteSpecifier: { case: "prefixRewrite", value: prefixRewrite },
    }),
    ...(uri !== "" && { pathRewriteSpecifier: { case: "pathRedirect", value: uri } }),
  };
}

function portOf({ redirectPort }: HttpRedirect, requestPort: number): number {
  switch (redirectPort.case) {
    case "port":
      return redirectPort.value;
    case "derivePort":
      return redirectPort.value === PortSelection.FROM_REQUEST_PORT ? requestPort : 0;
    case undefined:
      return 0;
  }
}
