import { isVisible, type Resource, resourcesOf } from "@weft/core/mesh";
import { gatewayRef, MESH } from "./gateway-ref.ts";
import type { Scope } from "./scope.ts";

/** The VirtualServices that the proxy sees and that are bound to `gateway`, oldest first. */
export function virtualServicesOn(
  scope: Scope,
  gateway: string,
): readonly Resource<"VirtualService">[] {
  return resourcesOf(scope.mesh, "VirtualService").filter(({ namespace, spec }) => {
    const exportTo =
      spec.exportTo.length > 0 ? spec.exportTo : scope.settings.virtualServiceExportTo;
    if (!isVisible(exportTo, namespace, scope.proxy.namespace)) return false;
    const gateways = spec.gateways.length > 0 ? spec.gateways : [MESH];
    return gateways.some((name) => gatewayRef(name, namespace) === gateway);
  });
}
