import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOptionSchema,
} from "@weft/proto/envoy/config/core/v3/base_pb.ts";
import type {
  Headers,
  Headers_HeaderOperations as Operations,
} from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import { headerFormat } from "./header-format.ts";
import type { Init } from "./init.ts";

type HeaderInit = Init<typeof HeaderValueOptionSchema>;

/** The header fields that routes and weighted clusters share. */
export interface HeaderChanges {
  readonly requestHeadersToAdd: HeaderInit[];
  readonly requestHeadersToRemove: string[];
  readonly responseHeadersToAdd: HeaderInit[];
  readonly responseHeadersToRemove: string[];
}

/** Header operations of a rule and, where they become one route, of its only destination. */
export function headerChanges(...all: readonly (Headers | undefined)[]): HeaderChanges {
  return {
    requestHeadersToAdd: all.flatMap((headers) => additions(headers?.request)),
    requestHeadersToRemove: all.flatMap((headers) => removals(headers?.request)),
    responseHeadersToAdd: all.flatMap((headers) => additions(headers?.response)),
    responseHeadersToRemove: all.flatMap((headers) => removals(headers?.response)),
  };
}

/** The host that `set` gives the request: Envoy rewrites it instead of setting a header. */
export function rewrittenHost(headers: Headers | undefined): string | undefined {
  return Object.entries(headers?.request?.set ?? {}).find(([name]) => isHost(name))?.[1];
}

function additions(operations: Operations | undefined): HeaderInit[] {
  const { set = {}, add = {} } = operations ?? {};
  return [
    ...options(set, AppendAction.OVERWRITE_IF_EXISTS_OR_ADD),
    ...options(add, AppendAction.APPEND_IF_EXISTS_OR_ADD),
  ];
}

function options(map: Readonly<Record<string, string>>, appendAction: AppendAction): HeaderInit[] {
  return Object.keys(map)
    .filter(isChangeable)
    .sort()
    .map((key) => ({ header: { key, value: headerFormat(map[key] ?? "") }, appendAction }));
}

function removals(operations: Operations | undefined): string[] {
  return (operations?.remove ?? []).filter(isChangeable);
}

function isHost(name: string): boolean {
  return name.toLowerCase() === "host" || name.toLowerCase() === ":authority";
}

/** Envoy refuses a whole route table that changes pseudo headers or the host. */
function isChangeable(name: string): boolean {
  return !name.startsWith(":") && !isHost(name);
}
