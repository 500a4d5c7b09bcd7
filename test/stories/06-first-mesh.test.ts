// docs/first-mesh.md as a user follows it: `weft up`, two `weft agent`s, YAML, traffic, and a way back.

import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLI, type ControlPlane, startControlPlane } from "../../infra/demo/control-plane.ts";
import { type Program, startProgram } from "../../infra/demo/programs.ts";
import { type CommandResult, runWeft, until } from "../../infra/demo/story.ts";
import { FREE_DOORS, freeBlock } from "../world/world.ts";

const folder = mkdtempSync(join(tmpdir(), "weft-"));
const block = freeBlock();
const page = readFileSync(resolve(import.meta.dirname, "../../docs/first-mesh.md"), "utf8");
const started = new AsyncDisposableStack();
let control: ControlPlane;
let stock: Server;

beforeAll(async () => {
  control = await startControlPlane(["up", "--data", join(folder, "data"), ...FREE_DOORS]);
  stock = createServer((call, response) => response.end(`stock ${call.headers.host}\n`));
  stock.listen(0, "127.0.0.1");
  await once(stock, "listening");
}, 120_000);

afterAll(async () => {
  await started.disposeAsync();
  stock?.close();
  await control?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The YAML of the page that begins with `# NAME`, on this test's addresses. */
function yamlOf(name: string): string {
  const found = new RegExp(`\`\`\`yaml\\n# ${name}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no ${name}`);
  return found.replaceAll("127.0.7.", `${block}.`);
}

function weft(...args: string[]): Promise<CommandResult> {
  return runWeft(args, { server: control.addresses.api, cwd: folder });
}

async function startAgent(name: string, ip: string, ...args: string[]): Promise<Program> {
  const account = name.split("-")[0] ?? "";
  const { stdout: token } = await weft(
    "token",
    "create",
    "--service-account",
    account,
    "-o",
    "name",
  );
  const tokenFile = join(folder, `${name}.token`);
  writeFileSync(tokenFile, token, { mode: 0o600 });
  return startProgram(CLI, {
    args: [
      ...["agent", "--name", name, "--service-account", account, "--label", `app=${account}`],
      ...["--ip", ip, "--xds", control.addresses.xds, "--folder", join(folder, name), ...args],
      ...["--join-token-file", tokenFile],
    ],
    env: { WEFT_SERVER: control.addresses.api },
  });
}

/** Asks for a service as `shop` does: through the HTTP proxy of its own Envoy. */
function ask(path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((done) => {
    const asked = request(
      {
        host: `${block}.1`,
        port: 15001,
        path: `http://stock:8000${path}`,
        headers: { host: "stock:8000" },
      },
      (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += String(chunk);
        });
        response.on("end", () => done({ status: response.statusCode ?? 0, body }));
      },
    );
    asked.on("error", (error) => done({ status: 0, body: error.message }));
    asked.end();
  });
}

test("two workloads talk, and a change is taken back", async () => {
  const { port } = stock.address() as AddressInfo;
  started.use(await startAgent("shop-1", `${block}.1`));
  started.use(
    await startAgent(
      "stock-1",
      `${block}.2`,
      "--inbound",
      `8000=127.0.0.1:${port}`,
      "--label",
      "version=v1",
    ),
  );
  const apply = (name: string) =>
    control.api.apply({
      documents: [{ path: name, text: yamlOf(name) }],
      mutation: { commandId: crypto.randomUUID(), actor: "test" },
    });
  await apply("stock.yaml");
  await until("stock to answer", async () => (await ask("/")).status === 200);
  expect(await ask("/")).toEqual({ status: 200, body: "stock stock:8000\n" });

  const { revision } = await apply("slow.yaml");
  const { code } = await weft("rollback", `r${revision}`, "-m", "it does not");
  expect(code).toBe(0);
  const { stdout } = await weft("get", "VirtualService", "-o", "name");
  expect(stdout).toBe("");
}, 120_000);

test("a control plane that was killed starts again on the same folder", async () => {
  const { commits: before } = await control.api.log({});
  const gone = once(control.program.child, "exit");
  control.program.child.kill("SIGKILL");
  await gone;
  expect((await ask("/")).status).toBe(200);
  control = await startControlPlane(["up", "--data", join(folder, "data"), ...FREE_DOORS]);
  const { commits: after } = await control.api.log({});
  expect(after).toEqual(before);
}, 120_000);
