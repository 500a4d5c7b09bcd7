// @utf8-literals: what is passed here is read as UTF-8 only, and so has no UTF-16 in the module.

import { ByteWriter } from "./byte-writer";
import { Bytes } from "./bytes";
import { Pairs } from "./pairs";
import { getBool, getInteger, getProperty } from "./property";

// Envoy's attributes, each by the type its bytes have there (Proxy-Wasm, "Properties"; Envoy,
// "Attributes"). Texts and messages are null where there is none now; numbers are what the caller
// says then. Durations and times are nanoseconds.

export namespace properties {
  /** The request. What comes from its headers is gone once the response has begun. */
  export namespace request {
    export function path(): Bytes | null {
      return getProperty("request\0path");
    }
    export function urlPath(): Bytes | null {
      return getProperty("request\0url_path");
    }
    export function host(): Bytes | null {
      return getProperty("request\0host");
    }
    export function scheme(): Bytes | null {
      return getProperty("request\0scheme");
    }
    export function method(): Bytes | null {
      return getProperty("request\0method");
    }
    export function referer(): Bytes | null {
      return getProperty("request\0referer");
    }
    export function useragent(): Bytes | null {
      return getProperty("request\0useragent");
    }
    export function id(): Bytes | null {
      return getProperty("request\0id");
    }
    export function protocol(): Bytes | null {
      return getProperty("request\0protocol");
    }
    export function query(): Bytes | null {
      return getProperty("request\0query");
    }
    export function size(otherwise: i64 = -1): i64 {
      return getInteger("request\0size", otherwise);
    }
    export function totalSize(otherwise: i64 = -1): i64 {
      return getInteger("request\0total_size", otherwise);
    }
    export function headersBytes(otherwise: i64 = -1): i64 {
      return getInteger("request\0headers_bytes", otherwise);
    }
    export function time(otherwise: i64 = -1): i64 {
      return getInteger("request\0time", otherwise);
    }
    export function duration(otherwise: i64 = -1): i64 {
      return getInteger("request\0duration", otherwise);
    }
    export function headers(): Pairs {
      return pairsAt("request\0headers");
    }
  }

  /** The response, as far as it is there. */
  export namespace response {
    export function codeDetails(): Bytes | null {
      return getProperty("response\0code_details");
    }
    export function code(otherwise: i64 = -1): i64 {
      return getInteger("response\0code", otherwise);
    }
    export function flags(otherwise: i64 = -1): i64 {
      return getInteger("response\0flags", otherwise);
    }
    export function grpcStatus(otherwise: i64 = -1): i64 {
      return getInteger("response\0grpc_status", otherwise);
    }
    export function size(otherwise: i64 = -1): i64 {
      return getInteger("response\0size", otherwise);
    }
    export function totalSize(otherwise: i64 = -1): i64 {
      return getInteger("response\0total_size", otherwise);
    }
    export function headersBytes(otherwise: i64 = -1): i64 {
      return getInteger("response\0headers_bytes", otherwise);
    }
    export function backendLatency(otherwise: i64 = -1): i64 {
      return getInteger("response\0backend_latency", otherwise);
    }
    export function headers(): Pairs {
      return pairsAt("response\0headers");
    }
    export function trailers(): Pairs {
      return pairsAt("response\0trailers");
    }
  }

  /** Who connects to the proxy. */
  export namespace source {
    export function address(): Bytes | null {
      return getProperty("source\0address");
    }
    export function port(otherwise: i64 = -1): i64 {
      return getInteger("source\0port", otherwise);
    }
  }

  /** What was connected to. */
  export namespace destination {
    export function address(): Bytes | null {
      return getProperty("destination\0address");
    }
    export function port(otherwise: i64 = -1): i64 {
      return getInteger("destination\0port", otherwise);
    }
  }

  /** The connection from downstream. */
  export namespace connection {
    export function requestedServerName(): Bytes | null {
      return getProperty("connection\0requested_server_name");
    }
    export function transportFailureReason(): Bytes | null {
      return getProperty("connection\0transport_failure_reason");
    }
    export function terminationDetails(): Bytes | null {
      return getProperty("connection\0termination_details");
    }
    export function tlsVersion(): Bytes | null {
      return getProperty("connection\0tls_version");
    }
    export function subjectLocalCertificate(): Bytes | null {
      return getProperty("connection\0subject_local_certificate");
    }
    export function subjectPeerCertificate(): Bytes | null {
      return getProperty("connection\0subject_peer_certificate");
    }
    export function dnsSanLocalCertificate(): Bytes | null {
      return getProperty("connection\0dns_san_local_certificate");
    }
    export function dnsSanPeerCertificate(): Bytes | null {
      return getProperty("connection\0dns_san_peer_certificate");
    }
    export function uriSanLocalCertificate(): Bytes | null {
      return getProperty("connection\0uri_san_local_certificate");
    }
    export function uriSanPeerCertificate(): Bytes | null {
      return getProperty("connection\0uri_san_peer_certificate");
    }
    export function sha256PeerCertificateDigest(): Bytes | null {
      return getProperty("connection\0sha256_peer_certificate_digest");
    }
    export function peerCertificate(): Bytes | null {
      return getProperty("connection\0peer_certificate");
    }
    export function id(otherwise: i64 = -1): i64 {
      return getInteger("connection\0id", otherwise);
    }
    export function mtls(otherwise: bool = false): bool {
      return getBool("connection\0mtls", otherwise);
    }
  }

  /** The connection to the upstream, and its endpoint. */
  export namespace upstream {
    export function address(): Bytes | null {
      return getProperty("upstream\0address");
    }
    export function localAddress(): Bytes | null {
      return getProperty("upstream\0local_address");
    }
    export function transportFailureReason(): Bytes | null {
      return getProperty("upstream\0transport_failure_reason");
    }
    export function tlsVersion(): Bytes | null {
      return getProperty("upstream\0tls_version");
    }
    export function subjectLocalCertificate(): Bytes | null {
      return getProperty("upstream\0subject_local_certificate");
    }
    export function subjectPeerCertificate(): Bytes | null {
      return getProperty("upstream\0subject_peer_certificate");
    }
    export function dnsSanLocalCertificate(): Bytes | null {
      return getProperty("upstream\0dns_san_local_certificate");
    }
    export function dnsSanPeerCertificate(): Bytes | null {
      return getProperty("upstream\0dns_san_peer_certificate");
    }
    export function uriSanLocalCertificate(): Bytes | null {
      return getProperty("upstream\0uri_san_local_certificate");
    }
    export function uriSanPeerCertificate(): Bytes | null {
      return getProperty("upstream\0uri_san_peer_certificate");
    }
    export function sha256PeerCertificateDigest(): Bytes | null {
      return getProperty("upstream\0sha256_peer_certificate_digest");
    }
    export function peerCertificate(): Bytes | null {
      return getProperty("upstream\0peer_certificate");
    }
    export function port(otherwise: i64 = -1): i64 {
      return getInteger("upstream\0port", otherwise);
    }
    export function numEndpoints(otherwise: i64 = -1): i64 {
      return getInteger("upstream\0num_endpoints", otherwise);
    }
    export function requestAttemptCount(otherwise: i64 = -1): i64 {
      return getInteger("upstream\0request_attempt_count", otherwise);
    }
    export function cxPoolReadyDuration(otherwise: i64 = -1): i64 {
      return getInteger("upstream\0cx_pool_ready_duration", otherwise);
    }
    export function locality(): Bytes | null {
      return getProperty("upstream\0locality");
    }
  }

  /** What the control plane has configured. Metadata are serialized core.v3.Metadata. */
  export namespace xds {
    export function clusterName(): Bytes | null {
      return getProperty("xds\0cluster_name");
    }
    export function routeName(): Bytes | null {
      return getProperty("xds\0route_name");
    }
    export function virtualHostName(): Bytes | null {
      return getProperty("xds\0virtual_host_name");
    }
    export function filterChainName(): Bytes | null {
      return getProperty("xds\0filter_chain_name");
    }
    export function listenerDirection(otherwise: i64 = -1): i64 {
      return getInteger("xds\0listener_direction", otherwise);
    }
    export function clusterMetadata(): Bytes | null {
      return getProperty("xds\0cluster_metadata");
    }
    export function listenerMetadata(): Bytes | null {
      return getProperty("xds\0listener_metadata");
    }
    export function routeMetadata(): Bytes | null {
      return getProperty("xds\0route_metadata");
    }
    export function virtualHostMetadata(): Bytes | null {
      return getProperty("xds\0virtual_host_metadata");
    }
    export function upstreamHostMetadata(): Bytes | null {
      return getProperty("xds\0upstream_host_metadata");
    }
    export function upstreamHostLocalityMetadata(): Bytes | null {
      return getProperty("xds\0upstream_host_locality_metadata");
    }
    export function node(): Bytes | null {
      return getProperty("xds\0node");
    }
  }

  /** The connection from downstream, as logs name it: the same as `connection.id`. */
  export function connectionId(otherwise: i64 = -1): i64 {
    return getInteger("connection_id", otherwise);
  }

  /** The name in the plugin's configuration. */
  export function pluginName(): Bytes | null {
    return getProperty("plugin_name");
  }

  /** The root id in the plugin's configuration. */
  export function pluginRootId(): Bytes | null {
    return getProperty("plugin_root_id");
  }

  /** The id of the VM in the plugin's configuration. */
  export function pluginVmId(): Bytes | null {
    return getProperty("plugin_vm_id");
  }

  /** All metadata of the request: a serialized core.v3.Metadata. */
  export function metadata(): Bytes | null {
    return getProperty("metadata");
  }

  /** An object of filter state, as its text. Envoy lists them to nobody: each is asked by name. */
  export function filterState<T>(name: T): Bytes | null {
    return getProperty(new ByteWriter().text("filter_state\0").text(name).finish());
  }

  /** An object of the upstream's filter state, as its text. */
  export function upstreamFilterState<T>(name: T): Bytes | null {
    return getProperty(new ByteWriter().text("upstream_filter_state\0").text(name).finish());
  }
}

function pairsAt(path: string): Pairs {
  const value = getProperty(path);
  return new Pairs(value == null ? Bytes.view(0, 0) : value);
}
