import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { NodeSchema } from "@weft/proto/envoy/config/core/v3/base_pb.ts";
import { describe, expect, test } from "vitest";
import { checkIdentity } from "./identity.ts";
import { readNode } from "./node.ts";

const ID = "sidecar~127.0.0.1~web-1.shop~shop.svc.cluster.local";

function read(metadata: JsonObject = {}, id = ID) {
  return readNode(toBinary(NodeSchema, create(NodeSchema, { id, metadata })));
}

describe("a node", () => {
  test("says who the proxy is, in Istio's words and Weft's", () => {
    const node = create(NodeSchema, {
      id: ID,
      metadata: {
        NAMESPACE: "shop",
        LABELS: { version: "v1", app: "web" },
        SERVICE_ACCOUNT: "web",
        INSTANCE_IPS: "127.0.0.1,127.0.0.2",
        WEFT_HTTP_PROXY_PORT: 15_080,
        WEFT_INBOUND: [{ port: 9080, endpoint: "127.0.0.1:8080" }],
      },
      extensions: [{ name: "envoy.filters.http.router" }],
      userAgentVersionType: {
        case: "userAgentBuildVersion",
        value: { version: { majorNumber: 1, minorNumber: 40, patch: 0 } },
      },
    });
    expect(readNode(toBinary(NodeSchema, node))).toEqual({
      proxy: {
        id: ID,
        type: "sidecar",
        ip: "127.0.0.1",
        namespace: "shop",
        labels: { app: "web", version: "v1" },
        serviceAccount: "web",
        httpProxyPort: 15_080,
        inbound: [{ port: 9080, endpoint: "127.0.0.1:8080" }],
      },
      envoyVersion: "1.40.0",
    });
  });

  test("needs no metadata", () => {
    expect(read({}, "router~::1~edge.ingress~x").proxy).toEqual({
      id: "router~::1~edge.ingress~x",
      type: "router",
      ip: "::1",
      namespace: "ingress",
      labels: {},
      serviceAccount: "",
    });
  });

  test("takes its address from INSTANCE_IPS where the id has none", () => {
    const id = ID.replace("127.0.0.1", "0.0.0.0");
    expect(read({ INSTANCE_IPS: "127.0.0.9" }, id).proxy.ip).toBe("127.0.0.9");
  });

  test.each([
    ["an id of another form", {}, "web-1", "is not sidecar|router~ip~name.namespace~domain"],
    ["an unknown type", {}, "waypoint~127.0.0.1~a.b~c", "is not sidecar|router"],
    ["an id without namespace", {}, "sidecar~127.0.0.1~web~d", "has no namespace"],
    ["no address", {}, "sidecar~here~a.b~d", '"here" is no IP address'],
    ["labels that are no object", { LABELS: "app=web" }, ID, "LABELS is not an object"],
    ["a label that is no text", { LABELS: { app: 1 } }, ID, 'label "app" is not a text'],
    ["a port that is none", { WEFT_HTTP_PROXY_PORT: 70_000 }, ID, '"70000" is no port'],
    ["inbound that is no list", { WEFT_INBOUND: {} }, ID, "WEFT_INBOUND is not a list"],
    [
      "inbound without endpoint",
      { WEFT_INBOUND: [{ port: 80 }] },
      ID,
      "WEFT_INBOUND[0].endpoint is not ip:port",
    ],
    [
      "an endpoint by name",
      { WEFT_INBOUND: [{ port: 80, endpoint: "localhost:80" }] },
      ID,
      "WEFT_INBOUND[0].endpoint is not ip:port",
    ],
  ] as const)("with %s is refused", (_, metadata, id, message) => {
    expect(() => read(metadata as JsonObject, id)).toThrow("xds.bad_request");
    expect(() => read(metadata as JsonObject, id)).toThrow(message);
  });

  test("that is not protobuf is refused", () => {
    expect(() => readNode(Buffer.from([0xff]))).toThrow("xds.bad_request");
  });
});

describe("identity", () => {
  const { proxy } = read({ SERVICE_ACCOUNT: "web" });
  const now = { trustDomain: "td", nowMs: 1_000 };
  const peer = (spiffeId: string | undefined) => ({ address: "", encrypted: true, spiffeId });

  test("the workload's own certificate is taken", () => {
    checkIdentity(proxy, peer("spiffe://td/ns/shop/sa/web"), now);
  });

  test.each([
    undefined,
    "spiffe://td/ns/shop/sa/other",
    "spiffe://td/ns/other/sa/web",
    "spiffe://other/ns/shop/sa/web",
  ])("with %s it is denied", (spiffeId) => {
    expect(() => checkIdentity(proxy, peer(spiffeId), now)).toThrow("xds.denied");
  });

  test("a node without a service account is denied", () => {
    expect(() => checkIdentity(read().proxy, peer("spiffe://td/ns/shop/sa/"), now)).toThrow(
      "xds.denied",
    );
  });

  test("a certificate that has expired since TLS took it is denied", () => {
    const valid = { ...peer("spiffe://td/ns/shop/sa/web"), notAfterMs: 1_001 };
    checkIdentity(proxy, valid, now);
    const expired = { ...valid, notAfterMs: 1_000 };
    expect(() => checkIdentity(proxy, expired, now)).toThrow("xds.denied");
  });
});
