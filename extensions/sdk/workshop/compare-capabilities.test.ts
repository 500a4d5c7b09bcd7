import { expect, test } from "vitest";
import { compareCapabilities } from "./compare-capabilities.ts";

const on = (callback: string, uses: string[], mayUse: string[] = []) => ({
  callback,
  uses,
  mayUse,
});

test("the same can do the same", () => {
  const same = [on("proxy_on_log", ["proxy_log"], ["proxy_http_call"])];
  expect(compareCapabilities(same, same)).toEqual([]);
});

test("what a callback gains and loses is told by hostcall", () => {
  const before = [on("proxy_on_request_headers", ["proxy_log"], ["proxy_grpc_call"])];
  const after = [
    on("proxy_on_request_headers", ["proxy_http_call", "proxy_grpc_call"], ["proxy_get_property"]),
    on("proxy_on_log", ["proxy_log"]),
  ];
  const callback = "proxy_on_request_headers";
  expect(compareCapabilities(before, after)).toEqual([
    { callback, hostcall: "proxy_get_property", change: "may gain" },
    { callback, hostcall: "proxy_http_call", change: "gains" },
    { callback, hostcall: "proxy_grpc_call", change: "gains" },
    { callback, hostcall: "proxy_log", change: "loses" },
    { callback: "proxy_on_log", hostcall: null, change: "gains" },
    { callback: "proxy_on_log", hostcall: "proxy_log", change: "gains" },
  ]);
});

test("what was sure and is only possible now is no gain", () => {
  const sure = [on("proxy_on_log", ["proxy_log"])];
  const possible = [on("proxy_on_log", [], ["proxy_log"])];
  expect(compareCapabilities(sure, possible)).toEqual([]);
  expect(compareCapabilities(possible, sure)).toMatchObject([{ change: "gains" }]);
  expect(compareCapabilities(sure, [])).toMatchObject([{ hostcall: null }, { change: "loses" }]);
});
