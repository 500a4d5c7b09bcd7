import type { Context } from "../context.ts";
import { headerMap } from "../header-map.ts";
import { hostcall, text } from "../hostcall.ts";
import { decodePairs } from "../pairs.ts";
import { BufferKind, MapKind, Status } from "../status.ts";
import type { CalloutResponse } from "../upstreams.ts";
import type { Vm } from "../vm.ts";

/** What Envoy insists on; it sets content-length itself. */
const REQUIRED = [":path", ":method", ":authority"];

/** The code and the words that `proxy_get_status` has after a callout that came to nothing. */
const RESET = [Status.brokenConnection, "reset"] as const;

/** What the proxy answers itself to a callout whose upstream has not. */
const LATE: CalloutResponse = {
  headers: [
    [":status", "504"],
    ["content-length", "24"],
    ["content-type", "text/plain"],
  ],
  body: "upstream request timeout",
};

export const calloutCalls = {
  proxy_http_call: hostcall(
    "bbbbi",
    "N",
    ({ vm, context }, cluster, pairs, body, trailerPairs, timeoutMs) => {
      const upstream = vm.world.upstreams.get(text(cluster));
      const headers = decodePairs(pairs) ?? [];
      const isWhole = REQUIRED.every((name) => headers.some(([other]) => other === name));
      if (timeoutMs < 0 || upstream === undefined || !isWhole) return Status.badArgument;
      const id = vm.calls.open("http");
      const trailers = decodePairs(trailerPairs) ?? [];
      const answer = upstream.http({ headers, body: text(body), trailers });
      const delayMs = answer === "reset" ? 0 : (answer.delayMs ?? 0);
      const isLate = timeoutMs > 0 && delayMs > timeoutMs;
      vm.world.clock.after(isLate ? timeoutMs : delayMs, () => {
        deliver(vm, { id, root: context.root, answer: isLate ? LATE : answer });
      });
      return [id];
    },
  ),
};

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
    root.maps.set(MapKind.httpCallHeaders, headerMap(headers));
    root.maps.set(MapKind.httpCallTrailers, headerMap(trailers));
    root.buffers.set(BufferKind.httpCallBody, { bytes });
  }
  const words = [id, headers.length, bytes.byteLength, trailers.length];
  vm.enter("proxy_on_http_call_response", root, words);
  root.maps.delete(MapKind.httpCallHeaders);
  root.maps.delete(MapKind.httpCallTrailers);
  root.buffers.delete(BufferKind.httpCallBody);
  root.status = [Status.ok, ""];
}
