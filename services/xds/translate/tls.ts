import type { TransportSocketSchema } from "@weft/proto/envoy/config/core/v3/base_pb.ts";
import { RawBufferSchema } from "@weft/proto/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.ts";
import type {
  CertificateValidationContextSchema,
  TlsParametersSchema,
} from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import {
  SubjectAltNameMatcher_SanType as SanType,
  TlsParameters_TlsProtocol as TlsProtocol,
} from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@weft/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import {
  type ClientTlsSettings,
  ClientTlsSettings_TlsMode as TlsMode,
} from "@weft/proto/weft/mesh/v1/traffic_policy_pb.ts";
import { fromAgent } from "./config-source.ts";
import { pack } from "./encode.ts";
import type { Init } from "./init.ts";

export type TransportSocketInit = Init<typeof TransportSocketSchema>;
type CommonTlsInit = Init<typeof CommonTlsContextSchema>;
type ValidationInit = Init<typeof CertificateValidationContextSchema>;

/** Names of the agent's secrets: the workload's own certificate, and the roots of the mesh. */
const CERTIFICATE_SECRET = "default";
const ROOT_SECRET = "ROOTCA";

const MODERN_TLS: Init<typeof TlsParametersSchema> = {
  tlsMinimumProtocolVersion: TlsProtocol.TLSv1_2,
  tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3,
};

const SERVER_CIPHERS: string[] = [
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
];

/** Where Debian, Ubuntu, Alpine and their images keep the roots of the public web. */
const SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt";

/** No TLS. */
export const rawBuffer: TransportSocketInit = {
  name: "envoy.transport_sockets.raw_buffer",
  configType: { case: "typedConfig", value: pack(RawBufferSchema, {}) },
};

/** Mutual TLS with the workload's own certificate, to peers with one of the given names. */
export function meshClientTls(peer: {
  readonly sni: string;
  readonly alpn: readonly string[];
  /** Exact SANs that are accepted; empty: any certificate of the mesh. */
  readonly names: readonly string[];
}): TransportSocketInit {
  return clientSocket({
    sni: peer.sni,
    commonTlsContext: {
      ...meshIdentity(peer.names.map((name) => sanMatcher(name, "exact"))),
      alpnProtocols: [...peer.alpn],
      tlsParams: MODERN_TLS,
    },
  });
}

/** Mutual TLS for an inbound port: callers must have a certificate of one of the trust domains. */
export function meshServerTls(
  trustDomains: readonly string[],
  alpn: readonly string[],
): TransportSocketInit {
  const callers = trustDomains.map((domain) => sanMatcher(`spiffe://${domain}/`, "prefix"));
  return {
    name: "envoy.transport_sockets.tls",
    configType: {
      case: "typedConfig",
      value: pack(DownstreamTlsContextSchema, {
        requireClientCertificate: true,
        commonTlsContext: {
          ...meshIdentity(callers),
          alpnProtocols: [...alpn],
          tlsParams: { ...MODERN_TLS, cipherSuites: SERVER_CIPHERS },
        },
      }),
    },
  };
}

/** TLS as a DestinationRule asks for it with SIMPLE or MUTUAL: files on the proxy's machine. */
export function clientTls(
  settings: ClientTlsSettings,
  alpn: readonly string[],
): TransportSocketInit {
  const { clientCertificate, privateKey, mode } = settings;
  const hasCertificate = mode === TlsMode.MUTUAL && clientCertificate !== "" && privateKey !== "";
  return clientSocket({
    sni: settings.sni,
    commonTlsContext: {
      alpnProtocols: [...alpn],
      tlsParams: MODERN_TLS,
      ...(hasCertificate && {
        tlsCertificates: [
          { certificateChain: file(clientCertificate), privateKey: file(privateKey) },
        ],
      }),
      ...serverValidation(settings),
    },
  });
}

/**
 * What of TLS follows the host of each request, where no SNI was given: the SNI itself, and the name
 * that the server has to have unless names are given or nothing is to be checked.
 */
export function followsRequestHost(
  settings: ClientTlsSettings | undefined,
): { readonly autoSni: true; readonly autoSanValidation: boolean } | undefined {
  const isOwn = settings?.mode === TlsMode.SIMPLE || settings?.mode === TlsMode.MUTUAL;
  if (!isOwn || settings.sni !== "") return undefined;
  const { subjectAltNames, insecureSkipVerify } = settings;
  return { autoSni: true, autoSanValidation: subjectAltNames.length === 0 && !insecureSkipVerify };
}

function serverValidation({
  caCertificates,
  caCrl,
  subjectAltNames,
  insecureSkipVerify,
}: ClientTlsSettings): Pick<CommonTlsInit, "validationContextType"> {
  if (insecureSkipVerify) return {};
  const value: ValidationInit = {
    // Envoy 1.40 takes no `system_root_certs` here.
    trustedCa: file(caCertificates || SYSTEM_ROOTS),
    ...(caCrl !== "" && { crl: file(caCrl) }),
    matchTypedSubjectAltNames: subjectAltNames.map((name) => sanMatcher(name, "exact")),
  };
  return { validationContextType: { case: "validationContext", value } };
}

function clientSocket(context: Init<typeof UpstreamTlsContextSchema>): TransportSocketInit {
  return {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: pack(UpstreamTlsContextSchema, context) },
  };
}

function meshIdentity(
  matchTypedSubjectAltNames: ReturnType<typeof sanMatcher>[],
): Pick<CommonTlsInit, "tlsCertificateSdsSecretConfigs" | "validationContextType"> {
  return {
    tlsCertificateSdsSecretConfigs: [{ name: CERTIFICATE_SECRET, sdsConfig: fromAgent }],
    validationContextType: {
      case: "combinedValidationContext",
      value: {
        defaultValidationContext: { matchTypedSubjectAltNames },
        validationContextSdsSecretConfig: { name: ROOT_SECRET, sdsConfig: fromAgent },
      },
    },
  };
}

function sanMatcher(name: string, how: "exact" | "prefix") {
  const sanType = name.includes("://") ? SanType.URI : SanType.DNS;
  return { sanType, matcher: { matchPattern: { case: how, value: name } } } as const;
}

function file(filename: string) {
  return { specifier: { case: "filename", value: filename } } as const;
}
