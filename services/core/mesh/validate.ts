import { validateDestinationRule } from "./destination-rule.ts";
import type { Report } from "./finding.ts";
import { validateGateway } from "./gateway.ts";
import { validateMeshConfig } from "./mesh-config.ts";
import { validatePeerAuthentication } from "./peer-authentication.ts";
import type { Kind, Spec } from "./resource.ts";
import { validateServiceEntry } from "./service-entry.ts";
import { validateVirtualService } from "./virtual-service.ts";
import { validateWasmPlugin } from "./wasm-plugin.ts";
import { validateWorkloadEntry } from "./workload-entry.ts";

type Validator<K extends Kind> = (spec: Spec<K>, report: Report) => void;

/** What holds for a spec by itself, whatever else is in the mesh. */
const VALIDATORS: { readonly [K in Kind]: Validator<K> } = {
  DestinationRule: validateDestinationRule,
  Gateway: validateGateway,
  MeshConfig: validateMeshConfig,
  PeerAuthentication: validatePeerAuthentication,
  // Made by a command that checks the module; nobody writes one.
  Plugin() {},
  ServiceEntry: validateServiceEntry,
  VirtualService: validateVirtualService,
  WasmPlugin: validateWasmPlugin,
  WorkloadEntry: validateWorkloadEntry,
};

/** Reports what is wrong with a spec by itself. `report` is of the whole resource. */
export function validateSpec<K extends Kind>(kind: K, spec: Spec<K>, report: Report): void {
  VALIDATORS[kind](spec, report.in("spec"));
}
