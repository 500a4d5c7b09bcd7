import type { Context } from "../context.ts";
import { type Header, HeaderMap } from "../header-map.ts";
import { hostcall } from "../hostcall.ts";
import { decodePairs } from "../pairs.ts";
import { BufferKind, MapKind, Status } from "../status.ts";
import type { CalloutResponse } from "../upstreams.ts";
import type { Vm } from "../vm.ts";

/** What Envoy insists on; it sets content-length itself. */
const REQUIRED = [":path", ":method", ":authority"];

/** Without an answer, the code and the words that `proxy_get_status` has. */
const RESET = [Status.brokenConnection, "reset"] as const;

/** What Envoy answers in place of an upstream that breaks off, or takes too long. */
const BROKEN = localAnswer(
  "503",
  "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
);
const LATE = localAnswer("504", "upstream request timeout");

function localAnswer(status: string, body: string): CalloutResponse {
  const about: Header[] = [
    ["content-length", String(body.length)],
    ["content-type", "text/plain"],
  ];
  return { headers: [[":status", status], ...about], body };
}

export const calloutCalls = {
  proxy_http_call: hostcall(
    "tbtbi",
    "N",
    ({ vm, context }, cluster, pairs, body, trailerPairs, timeoutMs) => {
      const upstream = vm.world.upstreams.get(cluster);
      const headers = decodePairs(pairs) ?? [];
      const isWhole = REQUIRED.every((name) => headers.some(([other]) => other === name));
      if (timeoutMs < 0 || upstream === undefined || !isWhole) return Status.badArgument;
      const id = vm.calls.open("http");
      const trailers = decodePairs(trailerPairs) ?? [];
      const asked = upstream.http({
        headers: new HeaderMap(headers).entries(),
        body,
        trailers,
      });
      const delayMs = asked === "reset" ? 0 : (asked.delayMs ?? 0);
      const isLate = timeoutMs > 0 && delayMs > timeoutMs;
      vm.world.clock.after(isLate ? timeoutMs : delayMs, () => {
        const failure = isLate ? LATE : BROKEN;
        const answer = isLate || asked === "reset" ? failedAnswer(vm, failure) : asked;
        deliver(vm, { id, root: context.root, answer });
      });
      return [id];
    },
  ),
};

const failedAnswer = ({ profile }: Vm, answer: CalloutResponse) =>
  profile.answersFailedCallouts ? answer : "reset";

interface Delivery {
  readonly id: number;
  readonly root: Context;
  readonly answer: CalloutResponse | "reset";
}

function deliver(vm: Vm, { id, root, answer }: Delivery): void {
  if (!vm.calls.close(id) || !vm.isAlive(root)) return;
  const { headers = [], body = "", trailers = [] } = answer === "reset" ? {} : answer;
  const bytes = Buffer.from(body as Uint8Array);
  if (answer === "reset") root.status = RESET;
  else {
    root.maps.set(MapKind.httpCallHeaders, new HeaderMap(headers));
    root.maps.set(MapKind.httpCallTrailers, new HeaderMap(trailers));
    root.buffers.set(BufferKind.httpCallBody, { read: () => bytes });
  }
  const words = [id, headers.length, bytes.byteLength, trailers.length];
  vm.enter("proxy_on_http_call_response", root, words);
  root.maps.delete(MapKind.httpCallHeaders);
  root.maps.delete(MapKind.httpCallTrailers);
  root.buffers.delete(BufferKind.httpCallBody);
  root.status = [Status.ok, ""];
}
