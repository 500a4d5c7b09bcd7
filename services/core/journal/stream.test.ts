import { expect, test } from "vitest";
import { checkMeshName, wrongSettings } from "./stream.ts";

const subjects = ["weft.default.log"];
const right = {
  subjects,
  retention: "limits",
  storage: "file",
  discard: "new",
  deny_delete: true,
  deny_purge: true,
  max_age: 0,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  duplicate_window: 600_000_000_000,
  metadata: { incarnation: "life 1", format: "1" },
} as const;

/** What is said of a stream with the right settings but these. */
const wrong = (settings: object) =>
  wrongSettings({ ...right, subjects: [...subjects], ...settings } as object, subjects);

test("a stream with the settings of a log is one", () => {
  expect(wrong({})).toEqual([]);
  expect(wrong({ max_msgs: 0, max_bytes: 1_000, duplicate_window: 900_000_000_000 })).toEqual([]);
});

test("each setting that lets a log lose or change what it holds is named", () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ discard: "old" }, 'discard is "old" instead of "new"'],
    [{ storage: "memory" }, 'storage is "memory" instead of "file"'],
    [{ retention: "workqueue" }, 'retention is "workqueue" instead of "limits"'],
    [{ deny_delete: false }, "deny_delete is false instead of true"],
    [{ deny_purge: undefined }, "deny_purge is false instead of true"],
    [{ max_age: 5 }, "max_age is 5 instead of 0"],
    [{ max_msgs: 10 }, 'max_msgs is 10 instead of "unlimited"'],
    [{ max_msgs_per_subject: 1 }, 'max_msgs_per_subject is 1 instead of "unlimited"'],
    [{ allow_rollup_hdrs: true }, "allow_rollup_hdrs is true instead of false"],
    [{ allow_msg_ttl: true }, "allow_msg_ttl is true instead of false"],
    [{ no_ack: true }, "no_ack is true instead of false"],
    [{ sealed: true }, "sealed is true instead of false"],
    [{ persist_mode: "async" }, 'persist_mode is "async" instead of "default"'],
    [{ mirror: { name: "X" } }, 'mirror is {"name":"X"} instead of absent'],
    [{ subjects: ["weft.>"] }, 'subjects is "weft.>" instead of "weft.default.log"'],
    [{ duplicate_window: 1_000 }, "duplicate_window is 1000 instead of 600000000000 ns"],
    [{ metadata: { incarnation: "life 1", format: "2" } }, 'metadata.format is "2" instead of "1"'],
    [{ metadata: { format: "1" } }, "metadata.incarnation is absent"],
  ];
  for (const [settings, message] of cases) expect(wrong(settings)).toEqual([message]);
});

test("a mesh is named by what may stand in a subject", () => {
  expect(checkMeshName("eu-west_1")).toBe("eu-west_1");
  for (const name of ["", "a.b", "a b", "*", ">", "a".repeat(64)]) {
    expect(() => checkMeshName(name)).toThrow("log.bad_name");
  }
});
