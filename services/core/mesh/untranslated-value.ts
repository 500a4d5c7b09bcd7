import type { Finding } from "@weft/proto/weft/control/v1/control_pb.ts";
import type { Gateway } from "@weft/proto/weft/mesh/v1/gateway_pb.ts";
import type { ServiceEntry } from "@weft/proto/weft/mesh/v1/service_entry_pb.ts";
import type { VirtualService } from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import {
  WasmPlugin_PluginType as PluginType,
  type WasmPlugin,
} from "@weft/proto/weft/mesh/v1/wasm_plugin_pb.ts";
import { createReport, entryOf, type Report } from "./finding.ts";
import { type ReadManifest, subjectOf } from "./manifest.ts";
import { protocolClass } from "./protocol.ts";
import type { Kind, Spec } from "./resource.ts";
import { protocolOf } from "./service.ts";
import { storedPluginOf } from "./wasm-plugin.ts";

/** A warning for each value that is not acted on, though its field is, at its place. */
export function untranslatedValues(manifest: ReadManifest): readonly Finding[] {
  const report = createReport({ ...manifest, subject: subjectOf(manifest) });
  CHECKS[manifest.kind]?.(manifest.spec as never, report.in("spec"));
  return report.findings;
}

const CHECKS: { readonly [K in Kind]?: (spec: Spec<K>, report: Report) => void } = {
  Gateway: checkServers,
  ServiceEntry: checkPorts,
  VirtualService: checkClaims,
  WasmPlugin: checkPlugin,
};

function checkServers({ servers }: Gateway, report: Report): void {
  for (const [index, { port, bind }] of servers.entries()) {
    const at = report.in(`servers[${index}]`);
    const protocol = port?.protocol ?? "";
    if (protocolClass(protocol) !== "http") {
      const message = `port ${port?.number} is not opened: gateways do not serve ${protocol} yet`;
      warn(at, "port.protocol", message);
    }
    if (bind.startsWith("unix://")) {
      warn(at, "bind", `port ${port?.number} is not opened: gateways bind addresses only yet`);
    }
  }
}

function checkPorts({ ports }: ServiceEntry, report: Report): void {
  for (const [index, { number, name, protocol }] of ports.entries()) {
    const speaks = protocolOf(protocol, name);
    if (speaks === "AUTO" || protocolClass(speaks) === "http") continue;
    const message =
      `port ${number} speaks ${speaks}, and sidecars send HTTP only yet: ` +
      "nothing leads there but a VirtualService's http rule";
    warn(report, `ports[${index}].${protocol === "" ? "name" : "protocol"}`, message);
  }
}

/** Nothing verifies tokens yet, so no request has a claim. */
function checkClaims({ http }: VirtualService, report: Report): void {
  for (const [index, { match }] of http.entries()) {
    for (const [position, { headers, withoutHeaders }] of match.entries()) {
      for (const [list, conditions] of Object.entries({ headers, withoutHeaders })) {
        for (const name of Object.keys(conditions).filter((each) => each.startsWith("@"))) {
          const field = `http[${index}].match[${position}].${list}${entryOf(name)}`;
          warn(report, field, `${name}: tokens are not verified yet, so no request has claims`);
        }
      }
    }
  }
}

function checkPlugin({ url, type }: WasmPlugin, report: Report): void {
  if (url !== "" && storedPluginOf(url) === undefined) {
    warn(
      report,
      "url",
      `${url} is not fetched yet, so failStrategy decides about every request`,
      "publish the module with `weft plugin push`, and name it with weft://NAME",
    );
  }
  if (type === PluginType.NETWORK) {
    warn(report, "type", "plugins of type NETWORK are not loaded yet");
  }
}

function warn(report: Report, field: string, message: string, help?: string): void {
  report.warning({ code: "manifest.untranslated", field, message, help });
}
