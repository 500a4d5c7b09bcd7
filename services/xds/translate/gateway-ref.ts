/** What a VirtualService is bound to if it names no gateway: the sidecars. */
export const MESH = "mesh";

/** A gateway's name as a resource of `namespace` writes it, made `namespace/name`, or `mesh`. */
export function gatewayRef(name: string, namespace: string): string {
  if (name === MESH) return MESH;
  if (name.startsWith("./")) return `${namespace}/${name.slice(2)}`;
  return name.includes("/") ? name : `${namespace}/${name}`;
}
