import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSwitch, type Switch } from "../world/switch.ts";
import { type Envoy, startEnvoy } from "./envoy.ts";
import { snapshot, startTestServer, type TestServer, until } from "./server.ts";
import { assignment, cluster, listener, plugin, routes, startApp } from "./shop.ts";

type App = Awaited<ReturnType<typeof startApp>>;

/** `CDS x y -z`, in the order of the wire. */
function wire(server: TestServer): readonly string[] {
  return server.replies.map(({ type, resources, removed }) =>
    [type.short, ...resources.map(({ name }) => name), ...removed.map((name) => `-${name}`)].join(
      " ",
    ),
  );
}

/** Waits until every stream has accepted all there is for it. */
async function synced(server: TestServer): Promise<void> {
  const states = () => [...server.streams].map((stream) => stream.status().state);
  await until(() => states().length > 0 && states().every((s) => s === "SYNCED"), "SYNCED");
}

async function get(envoy: Envoy) {
  const port = await envoy.port("l1");
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const { status, headers } = response;
  const marks = { table: headers.get("x-table"), plugin: headers.get("x-plugin") };
  return { status, body: await response.text(), ...marks };
}

describe("a real Envoy on Delta ADS", () => {
  let stack: AsyncDisposableStack;
  let [x, y]: App[] = [];
  let server: TestServer;
  let door: Switch;
  let envoy: Envoy;

  const world = (parts: Parameters<typeof snapshot>[0]) => snapshot([listener("l1"), ...parts]);
  const toX = (mark = "x") => [cluster("x"), assignment("x", x?.port ?? 0), routes("x", mark)];
  const toY = () => [cluster("y"), assignment("y", y?.port ?? 0), routes("y")];

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    x = stack.use(await startApp("I am x"));
    y = stack.use(await startApp("I am y"));
    server = stack.use(await startTestServer(world([...toX(), plugin("v1")])));
    door = stack.use(await createSwitch(`127.0.0.1:${server.port}`));
    envoy = stack.use(
      await startEnvoy({ xdsPort: Number(door.address.split(":")[1]), apiType: "DELTA_GRPC" }),
    );
    await synced(server);
  });
  afterAll(() => stack.disposeAsync());

  test("starts with clusters, endpoints, listeners, then what they name", async () => {
    expect(wire(server).slice(0, 3)).toEqual(["CDS x", "EDS x", "LDS l1"]);
    expect(wire(server).slice(3).sort()).toEqual(["ECDS plug", "RDS routes"]);
    expect(await get(envoy)).toEqual({ status: 200, body: "I am x", table: "x", plugin: "v1" });
  });

  test("gets of a changed route the route and nothing else", async () => {
    server.replies.length = 0;
    server.set(world([...toX("x, again"), plugin("v1")]));
    await synced(server);
    expect(wire(server)).toEqual(["RDS routes"]);
    expect((await get(envoy)).table).toBe("x, again");
  });

  test("C12: gets the endpoints of a changed cluster again, and does not wait for its time-out", async () => {
    server.replies.length = 0;
    const changed = [cluster("x", 2), assignment("x", x?.port ?? 0), routes("x")];
    server.set(world([...changed, plugin("v1")]));
    await synced(server);
    expect(wire(server)).toEqual(["CDS x", "EDS x", "RDS routes"]);
    expect(await envoy.stat("cluster.x.init_fetch_timeout")).toBe(0);
    expect(await envoy.stat("cluster_manager.warming_clusters")).toBe(0);
    expect((await get(envoy)).body).toBe("I am x");
  });

  test("E1: moves a route to another cluster, make before break", async () => {
    server.replies.length = 0;
    server.set(world([...toY(), plugin("v1")]));
    await synced(server);
    expect(wire(server)).toEqual(["CDS y", "EDS y", "RDS routes", "CDS -x"]);
    expect((await get(envoy)).body).toBe("I am y");
    expect(await envoy.stat("cluster_manager.active_clusters")).toBe(2);
  });

  test("swaps a plugin over ECDS without touching its listener", async () => {
    server.replies.length = 0;
    server.set(world([...toY(), plugin("v2")]));
    await synced(server);
    expect(wire(server)).toEqual(["ECDS plug"]);
    expect((await get(envoy)).plugin).toBe("v2");
    expect(await envoy.stat("listener_manager.listener_modified")).toBe(0);
  });

  test("D5: its refusal is kept in its own words, and mended by the next change", async () => {
    const bad = listener("l2", ["type.googleapis.com/no.such.Type"]);
    server.set(world([...toY(), plugin("v2"), bad]));
    await until(() => server.answers.some(({ refusal }) => refusal !== undefined), "a refusal");
    const [stream] = server.streams;
    expect(stream?.status()).toMatchObject({ state: "NACKED" });
    const listeners = stream?.status().types.find(({ type }) => type === "LDS");
    expect(listeners).toMatchObject({
      nacks: 1,
      nackedResources: ["l2"],
      nack: expect.stringContaining("no.such.Type"),
    });
    server.set(world([...toY(), plugin("v2")]));
    await synced(server);
  });

  test("a second replica with the same snapshot sends it nothing, then only what changes", async () => {
    await using second = await startTestServer(world([...toY(), plugin("v2")]), {
      identifier: "test-2",
    });
    await door.lead(`127.0.0.1:${second.port}`);
    const types = () => [...second.streams].flatMap((stream) => stream.status().types);
    await until(() => types().length === 5, "a request of each type");
    expect(second.replies).toEqual([]);
    second.set(world([...toY(), plugin("v3")]));
    await synced(second);
    expect(wire(second)).toEqual(["ECDS plug"]);
    expect(await envoy.admin("/stats?filter=control_plane.identifier&type=TextReadouts")).toContain(
      "test-2",
    );
    await door.lead(`127.0.0.1:${server.port}`);
  });
});

describe("a real Envoy on SotW ADS", () => {
  test("takes the same snapshots, and moves a route make before break", async () => {
    await using x = await startApp("I am x");
    await using y = await startApp("I am y");
    const fixed = [listener("l1"), plugin("v1")];
    const before = [...fixed, cluster("x"), assignment("x", x.port), routes("x")];
    const after = [...fixed, cluster("y"), assignment("y", y.port), routes("y")];
    await using server = await startTestServer(snapshot(before));
    await using envoy = await startEnvoy({ xdsPort: server.port, apiType: "GRPC" });
    await synced(server);
    expect(await get(envoy)).toEqual({ status: 200, body: "I am x", table: "x", plugin: "v1" });
    server.replies.length = 0;
    server.set(snapshot(after));
    await synced(server);
    expect(wire(server)).toEqual(["CDS y x", "EDS y", "RDS routes", "CDS y"]);
    expect((await get(envoy)).body).toBe("I am y");
  });
});

test("an Envoy whose connection has come of age makes a new one, and is sent nothing", async () => {
  await using x = await startApp("I am x");
  const held = [cluster("x"), assignment("x", x.port), routes("x"), plugin("v1"), listener("l1")];
  await using server = await startTestServer(snapshot(held), { ageMsMax: 1_000 });
  await using envoy = await startEnvoy({ xdsPort: server.port, apiType: "DELTA_GRPC" });
  await synced(server);
  const before = wire(server);
  const seen = new Set(server.streams);
  await until(() => {
    for (const stream of server.streams) seen.add(stream);
    return seen.size === 3;
  }, "the third stream");
  await until(
    () => [...server.streams].every(({ status }) => status().resourcesSent === 0),
    "quiet",
  );
  expect(wire(server)).toEqual(before);
  expect((await get(envoy)).status).toBe(200);
});
