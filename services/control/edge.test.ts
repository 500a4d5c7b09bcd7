import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorKind, WeftError } from "@weft/core/error";
import { ErrorDetailSchema } from "@weft/proto/weft/control/v1/control_pb.ts";
import { expect, test } from "vitest";
import { toConnectError } from "./edge.ts";

test("each kind of error has one code", () => {
  const kinds: readonly ErrorKind[] = ["invalid", "missing", "conflict", "denied", "unavailable"];
  const codes = kinds.map((kind) => {
    return Code[toConnectError(new WeftError(kind, "log.conflict", "no")).code];
  });
  expect(codes).toEqual([
    "InvalidArgument",
    "NotFound",
    "Aborted",
    "PermissionDenied",
    "Unavailable",
  ]);
});

test("what Connect refuses itself stays as it is", () => {
  const refused = new ConnectError("cannot decode", Code.InvalidArgument);
  expect(toConnectError(refused)).toBe(refused);
});

test("an error of ours goes with its number and its help", () => {
  const error = toConnectError(new WeftError("missing", "ca.no_root", "the mesh has no root"));
  const [outgoing] = error.details;
  expect(outgoing).toEqual({
    desc: ErrorDetailSchema,
    value: {
      code: "ca.no_root",
      number: "WEFT0505",
      help: "start a replica with the role ca first",
      findings: [],
    },
  });
});

test("the cause of a bug stays inside", () => {
  const error = toConnectError(new TypeError("x is undefined in /secret"));
  expect([error.code, error.rawMessage]).toEqual([
    Code.Internal,
    "control.internal: internal error",
  ]);
});
