/** One workload of the demo: a program with an Envoy beside it, on a loopback address of its own. */
export interface Workload {
  readonly name: string;
  readonly app: string;
  /** File under bookinfo/; a gateway has no program behind it. */
  readonly program: string | undefined;
  readonly version: string;
  readonly serviceAccount: string;
  readonly ip: string;
  readonly type: "sidecar" | "router";
  readonly labels: Readonly<Record<string, string>>;
}

/** The port that every bookinfo service has in the mesh. */
export const SERVICE_PORT = 9080;

/** The port the gateway opens. */
export const GATEWAY_PORT = 8080;

/** Namespace of all of it. */
export const NAMESPACE = "default";

const SERVICES = [
  ["productpage", "v1"],
  ["details", "v1"],
  ["ratings", "v1"],
  ["reviews", "v1"],
  ["reviews", "v2"],
  ["reviews", "v3"],
] as const;

/**
 * The gateway and the six services, each on its own address of a loopback block such as `127.10.0`:
 * so all of them have the ports that they would have on machines of their own.
 */
export function bookinfoWorkloads(block: string): readonly Workload[] {
  const gateway: Workload = {
    name: "gateway",
    app: "istio-ingressgateway",
    program: undefined,
    version: "v1",
    serviceAccount: "gateway",
    ip: `${block}.1`,
    type: "router",
    labels: { app: "istio-ingressgateway", istio: "ingressgateway" },
  };
  const services = SERVICES.map(([app, version], index): Workload => {
    return {
      name: `${app}-${version}`,
      app,
      program: `${app}.ts`,
      version,
      serviceAccount: `bookinfo-${app}`,
      ip: `${block}.${index + 2}`,
      type: "sidecar",
      labels: { app, version },
    };
  });
  return [gateway, ...services];
}

/** The services and where they run, as Istio's ServiceEntry and WorkloadEntry say it. */
export function servicesYaml(workloads: readonly Workload[]): string {
  const members = workloads.filter((workload) => workload.type === "sidecar");
  const apps = [...new Set(members.map((workload) => workload.app))];
  const services = apps.map(
    (app) => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: ${app}
spec:
  hosts: [${app}.${NAMESPACE}.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - { number: ${SERVICE_PORT}, name: http, protocol: HTTP }
  workloadSelector:
    labels: { app: ${app} }
`,
  );
  const instances = members.map(
    ({ name, app, version, ip, serviceAccount }) => `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: ${name}
spec:
  address: ${ip}
  labels: { app: ${app}, version: ${version} }
  serviceAccount: ${serviceAccount}
`,
  );
  return [...services, ...instances].join("---\n");
}
