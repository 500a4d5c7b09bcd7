/** An Envoy that asks for configuration: all that translation may know of it. */
export interface Proxy {
  /** `sidecar~ip~name.namespace~domain`, or any name. */
  readonly id: string;
  readonly type: "sidecar" | "router";
  /** Where peers reach it. */
  readonly ip: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Empty where unknown. */
  readonly serviceAccount: string;
  /** Port of the outbound HTTP proxy listener, on `outboundAddress`; the mesh's where undefined. */
  readonly httpProxyPort?: number;
  /** Ports the proxy opens for the application beside it. Undefined: those its services have. */
  readonly inbound?: readonly InboundPort[];
}

/** `port` on the proxy's address leads to `endpoint`, the application. */
export interface InboundPort {
  readonly port: number;
  /** `127.0.0.1:8080`. */
  readonly endpoint: string;
}
