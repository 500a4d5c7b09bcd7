import { create } from "@bufbuild/protobuf";
import { type Any, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { findResource, type Resource } from "@weft/core/mesh";
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from "@weft/proto/envoy/config/core/v3/extension_pb.ts";
import { RBAC_Action } from "@weft/proto/envoy/config/rbac/v3/rbac_pb.ts";
import { RBACSchema } from "@weft/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.ts";
import { WasmSchema } from "@weft/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts";
import {
  FailurePolicy,
  type VmConfigSchema,
} from "@weft/proto/envoy/extensions/wasm/v3/wasm_pb.ts";
import {
  WasmPlugin_VmConfig_EnvValueSource as EnvValueSource,
  WasmPlugin_FailStrategy as FailStrategy,
  type WasmPlugin,
} from "@weft/proto/weft/mesh/v1/wasm_plugin_pb.ts";
import { pack, sortKeys } from "./encode.ts";
import type { Init } from "./init.ts";
import type { Scope } from "./scope.ts";
import { extensionName } from "./wasm-plugin.ts";

/** Names a plugin that was published to the mesh. */
const PUBLISHED_URL = /^weft:\/\/([^/?#]+)$/;

const FAILURE_POLICIES: Readonly<Record<number, FailurePolicy>> = {
  [FailStrategy.FAIL_CLOSE]: FailurePolicy.FAIL_CLOSED,
  [FailStrategy.FAIL_OPEN]: FailurePolicy.FAIL_OPEN,
  [FailStrategy.FAIL_RELOAD]: FailurePolicy.FAIL_RELOAD,
};

/**
 * The configuration of a plugin's filter, code included. A plugin whose code is not at hand is
 * replaced by a filter that lets everything pass (FAIL_OPEN) or nothing: a listener that waits for
 * a configuration which never comes would not answer at all.
 */
export function extensionOf(scope: Scope, plugin: Resource<"WasmPlugin">): TypedExtensionConfig {
  return create(TypedExtensionConfigSchema, {
    name: extensionName(plugin),
    typedConfig: wasmConfig(scope, plugin) ?? substitute(plugin.spec),
  });
}

function wasmConfig(scope: Scope, { namespace, name, spec }: Resource<"WasmPlugin">) {
  const module = findModule(scope, spec);
  if (module === undefined) return undefined;
  return pack(WasmSchema, {
    config: {
      name: `${namespace}.${name}`,
      rootId: spec.pluginName,
      vm: { case: "vmConfig", value: vmConfig(spec, module) },
      ...(spec.pluginConfig && {
        configuration: pack(StringValueSchema, {
          value: JSON.stringify(sortKeys(spec.pluginConfig)),
        }),
      }),
      failurePolicy: FAILURE_POLICIES[spec.failStrategy] ?? FailurePolicy.FAIL_CLOSED,
    },
  });
}

interface Module {
  readonly plugin: string;
  readonly digest: string;
  readonly code: Uint8Array;
}

function findModule(scope: Scope, { url, sha256 }: WasmPlugin): Module | undefined {
  const plugin = PUBLISHED_URL.exec(url)?.[1];
  if (plugin === undefined) return undefined;
  const digest = findResource(scope.mesh, "Plugin", "", plugin)?.spec.digest;
  if (digest === undefined || (sha256 !== "" && sha256 !== digest)) return undefined;
  const code = scope.plugins(digest);
  return code && { plugin, digest, code };
}

function vmConfig(spec: WasmPlugin, { plugin, digest, code }: Module): Init<typeof VmConfigSchema> {
  const env = spec.vmConfig?.env ?? [];
  const hostEnvKeys = env
    .filter(({ valueFrom }) => valueFrom === EnvValueSource.HOST)
    .map(({ name }) => name);
  const given = env.filter(({ valueFrom }) => valueFrom === EnvValueSource.INLINE);
  const keyValues = Object.fromEntries(given.map(({ name, value }) => [name, value]));
  return {
    vmId: `${plugin}@${digest}`,
    runtime: "envoy.wasm.runtime.v8",
    code: {
      specifier: {
        case: "local",
        value: { specifier: { case: "inlineBytes", value: code } },
      },
    },
    ...(env.length > 0 && { environmentVariables: { hostEnvKeys, keyValues } }),
  };
}

function substitute(spec: WasmPlugin): Any {
  if (spec.failStrategy === FailStrategy.FAIL_OPEN) return pack(RBACSchema, {});
  return pack(RBACSchema, { rules: { action: RBAC_Action.ALLOW, policies: {} } });
}
