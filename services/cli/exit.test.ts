import { CODES, type Code } from "@weft/core/error";
import { expect, test } from "vitest";
import { EXIT, exitCodesHelp, exitOf } from "./exit.ts";

/** What each exit code stands for, by codes that must never end otherwise. */
const WITNESSES: readonly (readonly [number, readonly Code[]])[] = [
  [EXIT.no, ["control.stale_base", "mesh.revert_conflict", "plugin.in_use"]],
  [EXIT.failed, ["log.frozen", "log.unavailable", "log.outcome_unknown", "control.internal"]],
  [EXIT.usage, ["cli.usage", "control.bad_request", "agent.bad_options"]],
  [EXIT.badFile, ["manifest.unknown_field", "plugin.not_wasm", "control.refused"]],
  [EXIT.missing, ["cli.no_file", "mesh.unknown_resource", "mesh.unknown_revision"]],
  [EXIT.unreachable, ["cli.unreachable", "agent.unreachable"]],
  [EXIT.timedOut, ["cli.timed_out"]],
  [EXIT.denied, ["control.denied", "ca.denied", "agent.refused"]],
];

test("each error code ends the program with what it means", () => {
  for (const [exit, codes] of WITNESSES) {
    expect(codes.map((code) => [code, exitOf(code)])).toEqual(codes.map((code) => [code, exit]));
  }
});

test("no error ends as if all were well, and one that is not known is a failure", () => {
  for (const code of Object.keys(CODES)) expect(exitOf(code)).not.toBe(EXIT.ok);
  expect(exitOf("newer.reason")).toBe(EXIT.failed);
});

test("every number is given to one code", () => {
  const numbers = Object.values(CODES).map(({ number }) => number);
  expect(numbers.filter((number, index) => numbers.indexOf(number) !== index)).toEqual([]);
});

test("a help page lists each exit code once, in order", () => {
  const codes = [...exitCodesHelp([EXIT.no, EXIT.no]).matchAll(/^ +(\d+) /gm)].map(
    ([, each]) => each,
  );
  expect(codes).toEqual(["0", "1", "2", "64", "69", "75", "77", "130"]);
});
