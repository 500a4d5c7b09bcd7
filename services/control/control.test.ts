import { fromBinary, toJson } from "@bufbuild/protobuf";
import {
  type Client,
  ConnectError,
  createClient,
  createRouterTransport,
} from "@connectrpc/connect";
import { CODES } from "@weft/core/error";
import {
  type CaLog,
  createMemoryBlobs,
  createMemoryCaLog,
  createMemoryJournal,
  type Journal,
} from "@weft/core/journal";
import { type Clock, silentLogger } from "@weft/core/runtime";
import {
  ApplyResponseSchema,
  ControlService,
  DeleteResponseSchema,
  DiffResponseSchema,
  ErrorDetailSchema,
  LogResponseSchema,
  RollbackResponseSchema,
} from "@weft/proto/weft/control/v1/control_pb.ts";
import { AuthorityChangeSchema } from "@weft/proto/weft/event/v1/ca_pb.ts";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createCommands } from "./commands.ts";
import { createEdge } from "./edge.ts";
import { createControl } from "./main.ts";
import { createQueries } from "./queries.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const clock: Clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) };

interface World {
  readonly api: Client<typeof ControlService>;
  readonly journal: Journal;
  readonly caLog: CaLog;
}

/** The API without its socket, on logs in memory. */
async function start(journal = createMemoryJournal({ clock })): Promise<World> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const caLog = createMemoryCaLog({ clock });
  const context = { mesh: "shop", clock, log: silentLogger };
  const control = await createControl(
    context,
    {
      journal,
      blobs: createMemoryBlobs(),
      authority: caLog.authority,
      trustDomain: "cluster.local",
      host: "127.0.0.1",
    },
    stop.signal,
  );
  const transport = createRouterTransport(
    ({ service }) =>
      service(ControlService, { ...createCommands(control), ...createQueries(control) }),
    { router: { interceptors: [createEdge(silentLogger)] } },
  );
  return { api: createClient(ControlService, transport), journal, caLog };
}

/** One ServiceEntry. */
function service(name: string, port = 80): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name} }
spec:
  hosts: [${name}.example.com]
  resolution: STATIC
  ports: [{ number: ${port}, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.9 }]
`;
}

function documents(...texts: string[]) {
  return texts.map((text, index) => ({ path: `${index}.yaml`, text }));
}

/** What a refused call tells: its message and its detail. */
async function refusal(call: Promise<unknown>) {
  const error = await call.catch((reason: unknown) => reason);
  if (!(error instanceof ConnectError)) throw new Error(`not refused, but ${error}`);
  const [detail] = error.findDetails(ErrorDetailSchema);
  return { code: detail?.code, number: detail?.number, message: error.rawMessage, detail };
}

test("an apply is one commit, and says what it changed", async () => {
  const { api } = await start();
  const response = await api.apply({
    documents: documents(service("a"), service("b")),
    mutation: { actor: "ada", message: "open the shop", source: "cli" },
  });
  const changes = ["a", "b"].map((name) => ({
    operation: "OPERATION_CREATE",
    ref: { kind: "ServiceEntry", namespace: "default", name },
  }));
  expect(toJson(ApplyResponseSchema, response)).toEqual({ revision: "2", changes });
  const logged = toJson(LogResponseSchema, await api.log({ limit: 1 }));
  expect(logged).toEqual({
    commits: [
      {
        revision: "2",
        at: "2026-01-02T03:04:05Z",
        actor: { id: "ada", via: "loopback" },
        message: "open the shop",
        source: { kind: "cli" },
        changes,
        id: expect.stringMatching(UUID),
        commandId: expect.stringMatching(UUID),
        rootBefore: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
      },
    ],
  });
});

test("applying the same again writes nothing", async () => {
  const { api, journal } = await start();
  await api.apply({ documents: documents(service("a")) });
  const again = await api.apply({ documents: documents(service("a")) });
  expect([again.revision, again.changes.map(({ operation }) => operation)]).toEqual([2n, [4]]);
  expect(await journal.last()).toBe(2);
});

test("a dry run says what would change and changes nothing", async () => {
  const { api, journal } = await start();
  const { revision, changes, dryRun } = await api.apply({
    documents: documents(service("a")),
    mutation: { dryRun: true },
  });
  expect([revision, changes.map(({ operation }) => operation), dryRun]).toEqual([1n, [1], true]);
  expect(await journal.last()).toBe(1);
});

test("the same command id answers what it answered first", async () => {
  const { api, journal } = await start();
  const request = { documents: documents(service("a")), mutation: { commandId: "once" } };
  const first = await api.apply(request);
  await api.apply({ documents: documents(service("b")) });
  const second = await api.apply(request);
  expect(toJson(ApplyResponseSchema, second)).toEqual(toJson(ApplyResponseSchema, first));
  expect(await journal.last()).toBe(3);
});

test("a command id that was used for another request is refused", async () => {
  const { api } = await start();
  await api.apply({ documents: documents(service("a")), mutation: { commandId: "once" } });
  const other = { documents: documents(service("b")), mutation: { commandId: "once" } };
  expect(await refusal(api.apply(other))).toMatchObject({ code: "log.command_reused" });
});

test("an apply on a base that is not the head any more is refused", async () => {
  const { api } = await start();
  await api.apply({ documents: documents(service("a")), mutation: { expectedBase: 1n } });
  const late = { documents: documents(service("b")), mutation: { expectedBase: 1n } };
  expect(await refusal(api.apply(late))).toMatchObject({
    code: "control.stale_base",
    message: "control.stale_base: the head is r2, not r1",
  });
});

test("an apply with an error changes nothing and names every place", async () => {
  const { api, journal } = await start();
  const bad = `${service("a")}---\n${service("b").replace("name: http", "nmae: http")}`;
  const worse = service("c").replace("number: 80", "number: many");
  const { number, message, detail } = await refusal(
    api.apply({ documents: documents(bad, worse) }),
  );
  const errors = detail?.findings.filter(({ severity }) => severity === 1) ?? [];
  expect({
    number,
    message,
    places: errors.map(({ code, path, line, column }) => `${path}:${line}:${column} ${code}`),
  }).toEqual({
    number: "WEFT0603",
    message: "control.refused: 2 errors in 2 documents; nothing was changed",
    places: ["0.yaml:16:25 manifest.unknown_field", "1.yaml:7:21 manifest.bad_value"],
  });
  expect(await journal.last()).toBe(1);
});

test("warnings go with the answer, and the apply is done", async () => {
  const { api } = await start();
  const route = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web.example.com]
  http: [{ route: [{ destination: { host: nowhere.example.com } }] }]
`;
  const { revision, findings } = await api.apply({ documents: documents(route) });
  expect(revision).toBe(2n);
  expect(findings.map(({ severity, code, line }) => ({ severity, code, line }))).toContainEqual({
    severity: 2,
    code: "mesh.unknown_host",
    line: 6,
  });
});

test("what a delete names that is not there stops it, all of it", async () => {
  const { api } = await start();
  await api.apply({ documents: documents(service("a")) });
  const refs = ["a", "ghost"].map((name) => ({ kind: "ServiceEntry", namespace: "default", name }));
  expect(await refusal(api.delete({ refs }))).toMatchObject({ code: "mesh.unknown_resource" });
  const { resources } = await api.list({});
  expect(resources.map(({ ref }) => ref?.name)).toEqual(["a"]);
});

test("a rollback is a new commit that says which one it takes back", async () => {
  const { api } = await start();
  await api.apply({ documents: documents(service("a")) });
  await api.apply({ documents: documents(service("a", 8080)) });
  const back = await api.rollback({ revision: 3n, mutation: { message: "enough" } });
  const { commits } = await api.log({ limit: 1 });
  expect([back.revision, commits[0]?.revertOf, commits[0]?.message]).toEqual([4n, 3n, "enough"]);
  const { changes } = await api.diff({ from: 2n, to: 4n });
  expect(changes).toEqual([]);
});

test("a commit whose resource was changed since cannot be taken back alone", async () => {
  const { api } = await start();
  for (const port of [80, 81, 82]) await api.apply({ documents: documents(service("a", port)) });
  const { code } = await refusal(api.rollback({ revision: 3n }));
  expect(code).toBe("mesh.revert_conflict");
});

test("a revision that there is not is missing", async () => {
  const { api } = await start();
  const calls = [
    api.show({ revision: 9n }),
    api.diff({ from: 1n, to: 9n }),
    api.rollback({ revision: 9n }),
    api.rollback({ revision: 0n }),
    api.list({ at: 9n }),
  ];
  const codes = await Promise.all(calls.map(async (call) => (await refusal(call)).code));
  expect(new Set(codes)).toEqual(new Set(["mesh.unknown_revision"]));
});

test("the mesh at any revision is what it was then, and a restore makes it that again", async () => {
  const step = fc.record({
    name: fc.constantFrom("a", "b", "c"),
    port: fc.integer({ min: 1, max: 3 }),
    remove: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const { api } = await start();
      const seen = new Map<bigint, unknown>([[1n, (await api.list({})).resources]]);
      for (const { name, port, remove } of steps) {
        const { resources } = await api.list({});
        const isThere = resources.some(({ ref }) => ref?.name === name);
        const ref = { kind: "ServiceEntry", namespace: "default", name };
        if (remove && isThere) await api.delete({ refs: [ref] });
        else await api.apply({ documents: documents(service(name, port)) });
        const now = await api.list({});
        seen.set(now.revision, now.resources);
      }
      for (const [at, resources] of seen) {
        expect((await api.list({ at })).resources).toEqual(resources);
      }
      const [first = 1n] = seen.keys();
      await api.rollback({ revision: first, restore: true });
      expect((await api.diff({ from: first })).changes).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

test("show and diff tell each resource before and after", async () => {
  const { api } = await start();
  await api.apply({ documents: documents(service("a")) });
  await api.apply({ documents: documents(service("a", 8080)) });
  const shown = await api.show({ revision: 3n });
  const differs = await api.diff({ from: 2n });
  expect(shown.changes).toEqual(differs.changes);
  const [change] = (toJson(DiffResponseSchema, differs) as { changes: unknown[] }).changes;
  expect(change).toMatchObject({
    summary: { operation: "OPERATION_UPDATE" },
    before: { kind: "ServiceEntry", spec: { ports: [{ number: 80 }] } },
    after: { kind: "ServiceEntry", spec: { ports: [{ number: 8080 }] } },
  });
});

test("the log of one resource holds only what touched it", async () => {
  const { api } = await start();
  for (const [name, port] of [
    ["a", 1],
    ["b", 2],
    ["a", 3],
  ] as const) {
    await api.apply({ documents: documents(service(name, port)) });
  }
  await api.delete({ refs: [{ kind: "ServiceEntry", namespace: "default", name: "a" }] });
  const ref = { kind: "ServiceEntry", namespace: "default", name: "a" };
  const { commits } = await api.log({ ref });
  expect(commits.map(({ revision }) => revision)).toEqual([5n, 4n, 2n]);
  const older = await api.log({ ref, before: 5n });
  expect(older.commits).toEqual(commits.slice(1));
});

test("a watch sends what was, then what comes", async () => {
  const { api } = await start();
  await api.apply({ documents: documents(service("a")) });
  const stop = new AbortController();
  const revisions: bigint[] = [];
  const watching = (async () => {
    for await (const { commit } of api.watch({ fromRevision: 1n }, { signal: stop.signal })) {
      revisions.push(commit?.revision ?? 0n);
      if (revisions.length === 2) await api.apply({ documents: documents(service("b")) });
      if (revisions.length === 3) stop.abort();
    }
  })();
  await expect(watching).rejects.toThrow("aborted");
  expect(revisions).toEqual([1n, 2n, 3n]);
});

test("a token is in the answer alone: the log holds its hash", async () => {
  const { api, caLog } = await start();
  const { token, expiresAt } = await api.createToken({ serviceAccount: "shop", ttlSeconds: 60n });
  expect(expiresAt?.seconds).toBe(BigInt(clock.now() / 1000 + 60));
  const entries = [];
  for await (const entry of caLog.all.tail({ from: 1, signal: AbortSignal.timeout(5_000) })) {
    entries.push(entry);
    break;
  }
  const change = fromBinary(AuthorityChangeSchema, entries[0]?.payload ?? new Uint8Array());
  expect(change.kind).toMatchObject({
    case: "joinTokenCreated",
    value: { namespace: "default", serviceAccount: "shop" },
  });
  expect(Buffer.from(entries[0]?.payload ?? []).includes(token)).toBe(false);
});

test("what no plugin can be is refused before it is stored", async () => {
  const { api, journal } = await start();
  const module = new TextEncoder().encode("(module)");
  const calls = [api.pushPlugin({ name: "p", module }), api.pushPlugin({ name: "P!", module })];
  const codes = await Promise.all(calls.map(async (call) => (await refusal(call)).code));
  expect(codes).toEqual(["plugin.not_wasm", "plugin.bad_name"]);
  expect(await journal.last()).toBe(1);
});

test("an error that nobody foresaw tells the caller nothing", async () => {
  const journal = createMemoryJournal({ clock });
  const { api } = await start(journal);
  journal.append = () => Promise.reject(new Error("secret path /etc/weft"));
  const { code, message } = await refusal(api.apply({ documents: documents(service("a")) }));
  expect([code, message]).toEqual(["control.internal", "control.internal: internal error"]);
});

/** A service with a subset, and routes to it, in three files. */
const shop = documents(
  service("a"),
  `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
spec: { host: a.example.com, subsets: [{ name: v1, labels: { version: v1 } }] }
`,
  `# Who goes where.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec:
  hosts: [a.example.com]
  http: [{ route: [{ destination: { host: a.example.com, subset: v1 } }] }]
`,
);

const lostSubset = {
  severity: "SEVERITY_WARNING",
  code: "mesh.unknown_subset",
  number: CODES["mesh.unknown_subset"].number,
  message: "no DestinationRule of a.example.com defines subset v1",
  help: CODES["mesh.unknown_subset"].help,
  path: "2.yaml",
  line: 2,
  column: 1,
  subject: "VirtualService default/a",
  field: "spec.http[0].route[0].destination.subset",
};

test("a deletion warns of what stays and refers to what goes", async () => {
  const { api } = await start();
  await api.apply({ documents: shop });
  const refs = [{ kind: "DestinationRule", namespace: "default", name: "a" }];
  const tried = await api.delete({ refs, mutation: { dryRun: true } });
  const done = await api.delete({ refs });
  expect(toJson(DeleteResponseSchema, done)).toEqual({
    revision: "3",
    changes: [{ operation: "OPERATION_DELETE", ref: refs[0] }],
    findings: [lostSubset],
  });
  expect(tried.findings).toEqual(done.findings);
});

test("a rollback and a restore warn of what they leave without what it refers to", async () => {
  const { api } = await start();
  await api.apply({ documents: documents(service("a")) });
  await api.apply({ documents: shop.slice(1, 2) });
  await api.apply({ documents: [{ path: "2.yaml", text: shop[2]?.text ?? "" }] });
  const tried = await api.rollback({ revision: 3n, mutation: { dryRun: true } });
  expect(toJson(RollbackResponseSchema, tried)).toMatchObject({ findings: [lostSubset] });
  const restored = await api.rollback({ revision: 3n, restore: true });
  expect(restored.findings).toEqual([]);
  const gone = await api.rollback({ revision: 2n });
  expect(gone.findings.map(({ code, subject }) => [code, subject])).toEqual([
    ["mesh.unknown_host", "DestinationRule default/a"],
  ]);
});
