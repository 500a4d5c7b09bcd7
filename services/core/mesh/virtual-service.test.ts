import { expect, test } from "vitest";
import { readManifests } from "./manifest.ts";

/** What is said of a VirtualService with this spec, in flow style on the fifth line. */
function told(spec: string): string[] {
  const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec: ${spec}
`;
  const { findings } = readManifests([{ path: "a.yaml", text }], { namespace: "default" });
  return findings.map(({ code, field, message }) => {
    return `${code.replace("manifest.", "")} ${field.replace("spec.", "")}: ${message}`;
  });
}

/** The same of an http rule that is otherwise in order. */
function toldOfRule(rule: string): string[] {
  return told(`{ hosts: [reviews], http: [{ ${rule} }] }`).map((finding) => {
    return finding.replace(/http\[0\]\.?/, "");
  });
}

const route = "route: [{ destination: { host: reviews } }]";

test.each([
  `{ hosts: [reviews], http: [{ ${route} }] }`,
  `{ http: [{ ${route} }] }`,
  `{ hosts: ["*"], gateways: [shop/edge], http: [{ ${route} }] }`,
  "{ hosts: [reviews], http: [{ delegate: { name: other, namespace: shop } }] }",
  "{ hosts: [reviews], http: [{ redirect: { uri: /x, redirectCode: 308 } }] }",
  "{ hosts: [reviews], http: [{ directResponse: { status: 503, body: { string: x } } }] }",
  "{ hosts: [192.0.2.1], tcp: [{ route: [{ destination: { host: db } }] }] }",
  `{ hosts: ["*.a.com"], tls: [{ match: [{ sniHosts: [x.a.com] }], ${route} }] }`,
  `{ hosts: [reviews], http: [{ timeout: 0s, ${route} }] }`,
  `{ hosts: [reviews], http: [{ match: [{ headers: { a: {}, constructor: {} },
      withoutHeaders: { constructor: { exact: x } } }], ${route} }] }`,
])("%s is accepted", (spec) => {
  expect(told(spec)).toEqual([]);
});

test.each([
  [
    "{ hosts: [reviews] }",
    "missing_field http: VirtualService has no rule: neither http, tls nor tcp",
  ],
  [
    "{ tcp: [{ route: [{ destination: { host: db } }] }] }",
    "missing_field hosts: VirtualService has no host",
  ],
  [
    `{ gateways: [edge], http: [{ ${route} }] }`,
    "conflicting_fields gateways: VirtualService has gateways but no host",
  ],
  [
    `{ hosts: ["*"], http: [{ ${route} }] }`,
    "bad_value hosts[0]: host * would take all traffic of the mesh",
  ],
  [`{ hosts: [a_b], http: [{ ${route} }] }`, 'bad_value hosts[0]: "a_b" is no host name'],
  [`{ hosts: [foo*], http: [{ ${route} }] }`, 'bad_value hosts[0]: "foo*" is no host name'],
  [
    `{ hosts: ["*.a.com", x.a.com], http: [{ ${route} }] }`,
    "conflicting_fields hosts[1]: host x.a.com overlaps with host *.a.com",
  ],
  [
    `{ hosts: [a], gateways: [a/b/c], http: [{ ${route} }] }`,
    'bad_value gateways[0]: "a/b/c" is no name of a gateway',
  ],
  [
    `{ hosts: [a], exportTo: ["*", "."], http: [{ ${route} }] }`,
    "conflicting_fields exportTo[0]: exportTo * leaves no room for other namespaces",
  ],
  [
    `{ hosts: [a.com], tls: [{ match: [{ sniHosts: [b.com] }], ${route} }] }`,
    "bad_value tls[0].match[0].sniHosts[0]: sniHosts b.com is within no host of the VirtualService",
  ],
  [`{ hosts: [a.com], tls: [{ ${route} }] }`, "missing_field tls[0].match: tls rule has no match"],
  [
    "{ hosts: [a.com], tcp: [{ match: [{ destinationSubnets: [192.0.2.0/33] }] }] }",
    'bad_value tcp[0].match[0].destinationSubnets[0]: "192.0.2.0/33" is no network',
    "missing_field tcp[0].route: tcp rule has no route",
  ],
])("%s is refused", (spec, ...findings) => {
  expect(told(spec)).toEqual(findings);
});

test.each([
  ["name: a", "missing_field : the rule does nothing with a request"],
  [
    `${route}, redirect: { uri: /x }`,
    "conflicting_fields redirect: the rule has both route and redirect",
  ],
  [
    `${route}, delegate: { name: a }`,
    "conflicting_fields delegate: the rule has both route and delegate",
  ],
  [
    "redirect: { uri: /x }, rewrite: { uri: /y }",
    "conflicting_fields rewrite: rewrite has no effect on a rule with redirect",
  ],
  [
    "redirect: { uri: /x, redirectCode: 304 }",
    "bad_value redirect.redirectCode: redirectCode 304 is not one Envoy sends",
  ],
  ['redirect: { uri: "/x\\r\\ny" }', "bad_value redirect.uri: uri has a line break"],
  [
    `${route}, rewrite: { uriRegexRewrite: { match: a, rewrite: "b\\n" } }`,
    "bad_value rewrite.uriRegexRewrite.rewrite: rewrite has a line break",
  ],
  ["redirect: {}", "missing_field redirect: redirect leads nowhere else"],
  [
    "directResponse: { status: 100 }",
    "bad_value directResponse.status: status 100 is not within 200 to 599",
  ],
  [
    "route: [{ destination: {} }]",
    "missing_field route[0].destination.host: destination has no host",
  ],
  ["route: [{ weight: 1 }]", "missing_field route[0].destination: destination is missing"],
  [
    "route: [{ destination: { host: a }, weight: -1 }]",
    "bad_value route[0].weight: weight -1 is negative",
  ],
  [
    "route: [{ destination: { host: a } }, { destination: { host: b } }]",
    "bad_value route: the weights of 2 destinations add up to 0",
  ],
  [
    "route: [{ destination: { host: a, subset: v.1, port: { number: 0 } } }]",
    'bad_value route[0].destination.subset: subset "v.1" is no DNS label',
    "bad_value route[0].destination.port.number: port 0 is not within 1 to 65535",
  ],
  [`timeout: 0.5ms, ${route}`, "bad_value timeout: timeout 0.0005s is below 1ms"],
  [`timeout: -1s, ${route}`, "bad_value timeout: timeout -1s is below 1ms"],
  [
    `retries: { attempts: -1, perTryTimeout: 0s }, ${route}`,
    "bad_value retries.attempts: attempts -1 is negative",
    "bad_value retries.perTryTimeout: perTryTimeout 0s is below 1ms",
  ],
  [
    `retries: { attempts: 0, retryOn: 5xx }, ${route}`,
    "conflicting_fields retries.retryOn: retryOn says how to retry, but attempts is 0",
  ],
  [`fault: {}, ${route}`, "missing_field fault: fault has neither delay nor abort"],
  [
    `fault: { abort: {} }, ${route}`,
    "missing_field fault.abort: abort has neither httpStatus nor grpcStatus",
  ],
  [
    `fault: { abort: { httpStatus: 199, percentage: { value: 100.5 } } }, ${route}`,
    "bad_value fault.abort.percentage.value: value 100.5 is not within 0 to 100",
    "bad_value fault.abort.httpStatus: httpStatus 199 is not within 200 to 599",
  ],
  [
    `fault: { abort: { grpcStatus: UNAVAILABE } }, ${route}`,
    'bad_value fault.abort.grpcStatus: grpcStatus "UNAVAILABE" is no status of gRPC',
  ],
  [
    `match: [{ uri: { regex: "(?=a)" } }], ${route}`,
    "bad_value match[0].uri.regex: " +
      "the regular expression looks around with (?=, which RE2 does not know",
  ],
  [
    `match: [{ uri: {} }], ${route}`,
    "missing_field match[0].uri: uri has neither exact, prefix nor regex",
  ],
  [
    `match: [{ headers: { ":method": { exact: GET } } }], ${route}`,
    'bad_value match[0].headers[":method"]: :method is no header here',
  ],
  [
    `match: [{ headers: { "a b": {} } }], ${route}`,
    'bad_value match[0].headers["a b"]: "a b" is no name of a header',
  ],
  [
    `match: [{ headers: { a: { exact: b } }, withoutHeaders: { a: { exact: b } } }], ${route}`,
    'conflicting_fields match[0].withoutHeaders["a"]: header a must and must not match the same',
  ],
  [
    `mirrors: [{ percentage: { value: 101 }, destination: { host: a } }], ${route}`,
    "bad_value mirrors[0].percentage.value: value 101 is not within 0 to 100",
  ],
  [
    `rewrite: { uri: /a, uriRegexRewrite: { match: "a(", rewrite: b } }, ${route}`,
    "conflicting_fields rewrite.uriRegexRewrite: rewrite has both uri and uriRegexRewrite",
    "bad_value rewrite.uriRegexRewrite.match: the regular expression leaves a group open",
  ],
  [
    `headers: { request: { add: { Host: a } }, response: { set: { ":status": x } } }, ${route}`,
    'bad_value headers.request.add["Host"]: header Host can only be set on requests',
    'bad_value headers.response.set[":status"]: header :status is HTTP/2\'s own',
  ],
  [
    `corsPolicy: { allowOrigins: [{ regex: "[" }], maxAge: 1.5s }, ${route}`,
    "bad_value corsPolicy.allowOrigins[0].regex: the regular expression leaves a class open",
    "bad_value corsPolicy.maxAge: maxAge is not a whole number of seconds",
  ],
])("a rule with %s is refused", (rule, ...findings) => {
  expect(toldOfRule(rule)).toEqual(findings);
});
