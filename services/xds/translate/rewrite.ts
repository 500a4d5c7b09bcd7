import type { RouteActionSchema } from "@weft/proto/envoy/config/route/v3/route_components_pb.ts";
import type { HttpRewrite } from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import type { Init } from "./init.ts";

type Rewrite = Pick<
  Init<typeof RouteActionSchema>,
  "prefixRewrite" | "regexRewrite" | "hostRewriteSpecifier"
>;

/** How path and host look to the destination. `host` is that of a `set` of the Host header. */
export function rewriteAction(rewrite: HttpRewrite | undefined, host: string | undefined): Rewrite {
  const { match = "", rewrite: substitution = "" } = rewrite?.uriRegexRewrite ?? {};
  const authority = rewrite?.authority || host;
  return {
    ...(rewrite?.uri ? { prefixRewrite: rewrite.uri } : {}),
    // Envoy takes one of the two.
    ...(!rewrite?.uri &&
      match !== "" && { regexRewrite: { pattern: { regex: match }, substitution } }),
    ...(authority && { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: authority } }),
  };
}
