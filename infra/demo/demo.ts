import { once } from "node:events";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { styleText } from "node:util";
import { type Bookinfo, startBookinfo } from "./bookinfo-mesh.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { createStory, get, type Story, until } from "./story.ts";
import { countVersions, getPage, startLoad } from "./traffic.ts";
import { servicesYaml } from "./workloads.ts";

const root = resolve(import.meta.dirname, "../..");

/** The loopback block that the demo lives on. */
const BLOCK = "127.10.0";

/** Where people look for the API first. */
const API_PORT = 8080;

/** Requests behind the measured split: at 90/10, five standard deviations are 4.7 points. */
const SPLIT_REQUESTS = 1_000;
const SPLIT_TOLERANCE_POINTS = 5;

/** How far the first traffic may lie from the start before the demo mentions it. */
const LIVE_GOAL_S = 20;

export interface DemoOptions {
  /** Where it began, on the clock of `performance`. */
  readonly beganMs: number;
  readonly envoyPath: string;
  /** Empty, and the demo's own. */
  readonly folder: string;
  /** End with the story instead of staying up. */
  readonly once: boolean;
  /** Stops it wherever it is. */
  readonly signal: AbortSignal;
}

/** What every step has at hand. */
interface Stage extends DemoOptions {
  readonly story: Story;
  readonly bookinfo: Bookinfo;
  readonly control: ControlPlane;
}

/** Starts the mesh, tells the story, stops the mesh. Answers whether every step held. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { folder, envoyPath } = options;
  const api = (await isFree(API_PORT)) ? `127.0.0.1:${API_PORT}` : "127.0.0.1:0";
  const free = ["--xds", "127.0.0.1:0", "--xds-plain", "127.0.0.1:0", "--monitor", "127.0.0.1:0"];
  await using control = await startControlPlane(["up", "--data", folder, "--api", api, ...free]);
  await using bookinfo = await startBookinfo({
    controlPlane: control,
    block: BLOCK,
    folder: join(folder, "agents"),
    envoyPath,
  });
  await control.api.apply({
    documents: [{ path: "services.yaml", text: servicesYaml(bookinfo.workloads) }],
    mutation: { commandId: crypto.randomUUID(), actor: "demo", message: "announce bookinfo" },
  });
  const story = createStory({ server: control.addresses.api, cwd: root });
  const stage: Stage = { ...options, story, bookinfo, control };
  const steps = [openGateway, proveMtls, splitTraffic, injectFault, refuseMistake, deployPlugin];
  for (const step of [...steps, lookBack]) {
    options.signal.throwIfAborted();
    await step(stage);
  }
  // Awaited here, because what is in use goes when this function returns.
  return await finish(stage);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false; // somebody has it
  } finally {
    server.close();
  }
}

/** A file of the demo, as it is typed at the root of the repository. */
function file(name: string): string {
  return `infra/demo/mesh/${name}.yaml`;
}

async function openGateway({ story, bookinfo, beganMs }: Stage): Promise<void> {
  const { gatewayUrl } = bookinfo;
  story.step("A gateway, and every request for reviews to v1");
  const args = ["-f", file("gateway"), "-f", file("versions"), "-m", "open the shop"];
  await story.weft(["apply", ...args]);
  await until("the product page", async () => (await getPage(gatewayUrl)).reviews === "v1");
  const seconds = (performance.now() - beganMs) / 1000;
  const page = await getPage(gatewayUrl);
  story.expect(page.status === 200, `${gatewayUrl}/productpage answers ${page.status}`);
  const late = seconds > LIVE_GOAL_S ? `, later than the ${LIVE_GOAL_S} s it should take` : "";
  console.log(`   live traffic ${seconds.toFixed(1)} s after the start${late}`);
}

async function proveMtls({ story, bookinfo, control }: Stage): Promise<void> {
  const { api } = control;
  story.step("mTLS between all of them, and nothing else");
  const direct = `http://${ipOf(bookinfo, "ratings-v1")}:9080/ratings/0`;
  const before = await get(direct);
  story.expect(before.status === 200, `plaintext to ratings answers ${before.status} so far`);
  await story.weft(["apply", "-f", file("strict"), "-m", "mTLS only"]);
  await until("plaintext to be refused", async () => (await get(direct)).status === 0);
  const refused = await get(direct);
  story.expect(refused.status === 0, `plaintext to ratings now: ${refused.body}`);
  const page = await getPage(bookinfo.gatewayUrl);
  story.expect(page.status === 200 && page.reviews === "v1", "through the mesh it still answers");
  await until("every proxy to have it", async () => {
    const { proxies, headRevision } = await api.listProxies({});
    return proxies.every(({ ackedRevision }) => ackedRevision === headRevision);
  });
  await story.weft(["ps"]);
}

async function splitTraffic({ story, bookinfo }: Stage): Promise<void> {
  const { gatewayUrl } = bookinfo;
  story.step("reviews 90/10 between v1 and v3");
  await story.weft(["apply", "-f", file("canary"), "-m", "one in ten sees red stars"]);
  await until("v3", async () => (await getPage(gatewayUrl)).reviews === "v3");
  const seen = await countVersions(gatewayUrl, SPLIT_REQUESTS);
  const percent = (100 * (seen.get("v3") ?? 0)) / SPLIT_REQUESTS;
  const counts = [...seen].sort().map(([version, count]) => `${version} ${count}`);
  story.expect(
    Math.abs(percent - 10) <= SPLIT_TOLERANCE_POINTS && seen.size === 2,
    `of ${SPLIT_REQUESTS} requests: ${counts.join(", ")}`,
  );
}

async function injectFault({ story, bookinfo }: Stage): Promise<void> {
  const { gatewayUrl } = bookinfo;
  story.step("A fault, for one tester only");
  await story.weft(["apply", "-f", file("fault"), "-m", "how does the page bear it?"]);
  const jason = { "end-user": "jason" };
  await until("the fault", async () => (await getPage(gatewayUrl, jason)).detailsStatus === 555);
  const [his, hers] = [await getPage(gatewayUrl, jason), await getPage(gatewayUrl)];
  story.expect(his.detailsStatus === 555, `jason's details answer ${his.detailsStatus}`);
  story.expect(hers.detailsStatus === 200, `everybody else's answer ${hers.detailsStatus}`);
}

async function refuseMistake({ story, control }: Stage): Promise<void> {
  const { api } = control;
  story.step("A mistake is refused where it stands, and changes nothing");
  const { headRevision: before } = await api.listProxies({});
  const { code, stderr } = await story.weft(["apply", "-f", file("mistake")]);
  const { headRevision: after } = await api.listProxies({});
  const places = [...stderr.matchAll(/mistake\.yaml:\d+:\d+/g)].map(([place]) => place);
  story.expect(code === 65 && places.length > 0, `exit ${code}, at ${places.join(" and ")}`);
  story.expect(before === after, `the mesh is still at r${after}`);
}

async function deployPlugin({ story, bookinfo }: Stage): Promise<void> {
  const { gatewayUrl } = bookinfo;
  story.step("A plugin, deployed into running Envoys under load");
  await using load = startLoad(gatewayUrl);
  await story.weft(["plugin", "push", "extensions/header-stamp"]);
  await story.weft(["apply", "-f", file("stamp"), "-m", "stamp the pages"]);
  await until(
    "the stamp",
    async () => (await getPage(gatewayUrl)).headers["x-weft-demo"] !== undefined,
  );
  const page = await getPage(gatewayUrl);
  story.expect(
    page.headers["x-weft-demo"] === "woven",
    `x-weft-demo: ${page.headers["x-weft-demo"]}`,
  );
  story.expect(load.failed === 0, `meanwhile ${load.ok} pages whole, ${load.failed} not`);
}

async function lookBack({ story, bookinfo, control }: Stage): Promise<void> {
  const { gatewayUrl } = bookinfo;
  const { api } = control;
  story.step("Who, when, why, what, and back again");
  await story.weft(["log"]);
  const { commits } = await api.log({ limit: 1 });
  const stamp = Number(commits[0]?.revision ?? 0n);
  await story.weft(["diff", `r${stamp - 1}`, `r${stamp}`]);
  await story.weft(["rollback", `r${stamp}`, "-m", "enough stamps"]);
  await until(
    "no stamp",
    async () => (await getPage(gatewayUrl)).headers["x-weft-demo"] === undefined,
  );
  const page = await getPage(gatewayUrl);
  story.expect(page.status === 200 && !("x-weft-demo" in page.headers), "the stamp is gone again");
  const { commits: after } = await api.log({ limit: 1 });
  const undone = after[0]?.revertOf;
  story.expect(undone === BigInt(stamp), `r${after[0]?.revision} takes back r${undone}`);
}

function ipOf(bookinfo: Bookinfo, name: string): string {
  return bookinfo.workloads.find((workload) => workload.name === name)?.ip ?? "";
}

async function finish(stage: Stage): Promise<boolean> {
  const { story, bookinfo, control, beganMs, once: ends, signal } = stage;
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  if (story.failures.length > 0) {
    console.log(styleText("red", `\n${story.failures.length} things were not so:`));
    for (const failure of story.failures) console.log(`  ${failure}`);
  } else {
    console.log(styleText("green", `\nEverything held, in ${seconds} s.`));
  }
  if (!ends && !signal.aborted) {
    console.log(`
  shop   ${bookinfo.gatewayUrl}/productpage
  try    export WEFT_SERVER=${control.addresses.api}
         npx weft ps
         npx weft log
         npx weft rollback r5
  stop   Ctrl-C`);
    await once(signal, "abort");
    console.log("\nstopping");
  }
  return story.failures.length === 0;
}
