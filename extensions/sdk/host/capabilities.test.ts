import { createHost, type HostOptions } from "@weft/sdk/host";
import { expect, test } from "vitest";
import {
  assembleProbe,
  call,
  type Step,
  say,
  word,
} from "../../../test/conformance/proxy-wasm/probe.ts";

const level = call("proxy_get_log_level", word());
const time = call("clock_time_get", 0, 0n, 0x2_1000);

/** What a plugin says that calls this on each of two requests. */
function said(steps: readonly Step[], options: HostOptions, faults: readonly number[] = []) {
  const host = createHost(
    assembleProbe({
      on: {
        proxy_on_configure: { steps: [say("configured")], returns: 1 },
        proxy_on_request_headers: { steps },
      },
    }),
    options,
  );
  for (const nth of faults) {
    host.inject({ call: "proxy_get_log_level", status: 10, ...(nth > 0 && { nth }) });
  }
  const root = host.start("") ?? 0;
  for (const _ of [1, 2]) host.openStream(root).requestHeaders([]);
  return [host.logs.map(({ message }) => message), Object.fromEntries(host.callCounts)];
}

const log = { proxy_log: 3 };

test("a plugin without restriction may call everything, and calls are counted", () => {
  expect(said([level], {})).toEqual([
    ["configured", "get_log_level 0 2", "get_log_level 0 2"],
    { ...log, proxy_get_log_level: 2 },
  ]);
});

test("a hostcall that is not in the list fails, and each call of it is logged", () => {
  const capabilities = ["proxy_log", "proxy_on_configure", "proxy_on_request_headers"];
  const restricted = (name: string) =>
    `Attempted call to restricted proxy-wasm capability: ${name}`;
  const each = [
    ...[restricted("proxy_get_log_level"), "get_log_level 10 0"],
    ...[restricted("clock_time_get"), "clock_time_get 76"],
  ];
  expect(said([level, time], { capabilities })).toEqual([
    ["configured", ...each, ...each],
    { proxy_log: 5 },
  ]);
});

test("a callback that is not in the list is not called; without proxy_on_configure it loads", () => {
  const capabilities = ["proxy_log", "proxy_get_log_level", "proxy_on_request_headers"];
  expect(said([level], { capabilities })).toEqual([
    ["get_log_level 0 2", "get_log_level 0 2"],
    { proxy_log: 2, proxy_get_log_level: 2 },
  ]);
});

test.each([
  [[0], ["get_log_level 10 0", "get_log_level 10 0"]],
  [[1], ["get_log_level 10 0", "get_log_level 0 2"]],
  [[2], ["get_log_level 0 2", "get_log_level 10 0"]],
  [[3], ["get_log_level 0 2", "get_log_level 0 2"]],
])("a fault is what call %j of a hostcall answers, and 0 is every one", (faults, told) => {
  expect(said([level], {}, faults)).toEqual([
    ["configured", ...told],
    { ...log, proxy_get_log_level: 2 },
  ]);
});
