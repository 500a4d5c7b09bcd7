import type { Any } from "@bufbuild/protobuf/wkt";
import { CorsPolicySchema } from "@weft/proto/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
import {
  type CorsPolicy,
  CorsPolicy_UnmatchedPreflights as Unmatched,
} from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import { pack } from "./encode.ts";
import { stringMatcher } from "./match.ts";

export const CORS_FILTER = "envoy.filters.http.cors";

/** The CORS filter's configuration for one route. */
export function corsConfig(cors: CorsPolicy | undefined): Any | undefined {
  if (cors === undefined) return undefined;
  return pack(CorsPolicySchema, {
    allowOriginStringMatch: [
      ...cors.allowOrigins.map((origin) => stringMatcher(origin) ?? anyOrigin),
      ...cors.allowOrigin.map(
        (origin) => ({ matchPattern: { case: "exact", value: origin } }) as const,
      ),
    ],
    allowMethods: cors.allowMethods.join(","),
    allowHeaders: cors.allowHeaders.join(","),
    exposeHeaders: cors.exposeHeaders.join(","),
    ...(cors.maxAge && { maxAge: String(cors.maxAge.seconds) }),
    ...(cors.allowCredentials !== undefined && { allowCredentials: cors.allowCredentials }),
    forwardNotMatchingPreflights: cors.unmatchedPreflights !== Unmatched.IGNORE,
  });
}

const anyOrigin = { matchPattern: { case: "safeRegex", value: { regex: ".*" } } } as const;
