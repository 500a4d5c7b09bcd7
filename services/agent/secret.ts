/** The workload's own certificate and key, as Istio names it. */
export const CERTIFICATE_SECRET = "default";

/** The roots of the mesh, as Istio names them. */
export const ROOT_SECRET = "ROOTCA";
