import { toBinary } from "@bufbuild/protobuf";
import { WeftError } from "@weft/core/error";
import { appendSurely, createMemoryCaLog, followAuthority, type Journal } from "@weft/core/journal";
import { type AuthorityDecision, authorityChange } from "@weft/core/mesh";
import { silentLogger, systemClock } from "@weft/core/runtime";
import { AuthorityChangeSchema } from "@weft/proto/weft/event/v1/ca_pb.ts";
import { expect, test } from "vitest";

function follow(journal: Journal, mesh = "test") {
  return followAuthority({ journal, mesh, clock: systemClock, log: silentLogger });
}

function activate(replica: string): AuthorityDecision {
  return {
    case: "intermediateActivated",
    value: { replica, certificateDer: Buffer.from(replica) },
  };
}

function eventOf(decision: AuthorityDecision, fields: { mesh?: string; schema?: number } = {}) {
  const change = authorityChange(decision, { id: "1", mesh: "test", actor: "test", atMs: 0 });
  return toBinary(AuthorityChangeSchema, { ...change, ...fields });
}

test("a follower begins with all that was logged, between the certificates of others", async () => {
  const { authority, issued } = createMemoryCaLog();
  await authority.append(eventOf(activate("a")), { commandId: "1", expectedRevision: 0 });
  await issued.append(Buffer.from("certificate"), { commandId: "2" });
  await authority.append(eventOf(activate("b")), { commandId: "3", expectedRevision: 1 });
  await using log = await follow(authority);
  expect(log.state.revision).toBe(3);
  expect([...log.state.intermediates.keys()]).toEqual(["a", "b"]);
});

test("writers that come at once on two replicas all get in, each on the newest state", async () => {
  const { authority } = createMemoryCaLog();
  await using one = await follow(authority);
  await using two = await follow(authority);
  const seen: number[] = [];
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? one : two).change("test", (state) => {
        seen[index] = state.intermediates.size;
        return activate(`${index}`);
      }),
    ),
  );
  // The last decision of each writer saw all that was stored before it.
  expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index));
});

test("whoever has caught up knows what was stored before, by whomever", async () => {
  const { authority } = createMemoryCaLog();
  await using log = await follow(authority);
  await authority.append(eventOf(activate("a")), { commandId: "1", expectedRevision: 0 });
  await log.catchUp();
  expect(log.state.revision).toBe(1);
});

test("a change resolves when the state has it, and a refusal or nothing to do stores nothing", async () => {
  const { authority } = createMemoryCaLog();
  await using log = await follow(authority);
  await log.change("test", () => activate("a"));
  expect(log.state.intermediates.get("a")).toEqual(Uint8Array.from(Buffer.from("a")));
  await log.change("test", () => undefined);
  await expect(
    log.change("test", () => {
      throw new WeftError("denied", "ca.denied", "no");
    }),
  ).rejects.toThrow("ca.denied: no");
  await log.change("test", () => activate("b"));
  expect(log.state.revision).toBe(2);
});

test.each([
  ["of another mesh", eventOf(activate("a"), { mesh: "other" })],
  ["of a newer schema", eventOf(activate("a"), { schema: 2 })],
  ["that is none", Uint8Array.of(0xff)],
  ["of no known kind", new Uint8Array()],
])("a change %s stops the fold, and with it all writing", async (_, payload) => {
  const { authority } = createMemoryCaLog();
  await using log = await follow(authority);
  await log.change("test", () => activate("a"));
  const before = log.state;
  await authority.append(payload, { commandId: "bad" });
  await expect(log.change("test", () => activate("b"))).rejects.toMatchObject({
    code: "log.frozen",
  });
  expect(log.frozen?.code).toBe("log.frozen");
  expect(log.state).toBe(before);
  expect(await authority.last()).toBe(2);
});

test("a log that does not fit at the start is not followed", async () => {
  const { authority } = createMemoryCaLog();
  await authority.append(eventOf(activate("a"), { mesh: "other" }), { commandId: "1" });
  await expect(follow(authority)).rejects.toMatchObject({ code: "log.frozen" });
});

test("an append of unknown outcome is sent again under the same id, a few times", async () => {
  const { issued } = createMemoryCaLog();
  const ids: string[] = [];
  const flaky = (losses: number): Journal => ({
    ...issued,
    async append(payload, options) {
      ids.push(options.commandId);
      const revision = await issued.append(payload, options);
      if (ids.length <= losses) throw new WeftError("unavailable", "log.outcome_unknown", "lost");
      return revision;
    },
  });
  expect(await appendSurely(flaky(2), Buffer.from("a"), { commandId: "a" })).toBe(1);
  expect(ids).toEqual(["a", "a", "a"]);
  ids.length = 0;
  await expect(appendSurely(flaky(9), Buffer.from("b"), { commandId: "b" })).rejects.toThrow(
    "log.outcome_unknown",
  );
  expect(ids).toEqual(["b", "b", "b"]);
  expect(await issued.last()).toBe(2);
});
