import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { silentLogger } from "@weft/core/runtime";
import { type Bookinfo, startBookinfo } from "../../infra/demo/bookinfo-mesh.ts";
import { type ControlPlane, startControlPlane } from "../../infra/demo/control-plane.ts";
import { type CommandResult, runWeft } from "../../infra/demo/story.ts";
import { servicesYaml } from "../../infra/demo/workloads.ts";
import { installTools } from "../../infra/tools.ts";

/** Every door on a free port of 127.0.0.1. */
export const FREE_DOORS = ["--api", "--xds", "--xds-plain", "--monitor"].flatMap((flag) => [
  flag,
  "127.0.0.1:0",
]);

/** Route files of the demo. */
export const DEMO_FILES = resolve(import.meta.dirname, "../../infra/demo/mesh");

/** Data from outside; tests that read it say so where it is missing. */
export const CORPUS = resolve(import.meta.dirname, "../../../shared/corpus");

export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly control: ControlPlane;
  /** Runs `weft ARGS` against the control plane, in the folder of the demo's route files. */
  weft(...args: string[]): Promise<CommandResult>;
}

/** A control plane with a nats-server of its own, as `weft up` starts them. */
export async function startWorld(): Promise<World> {
  const started = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "weft-"));
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const control = started.use(
      await startControlPlane(["up", "--data", join(folder, "data"), ...FREE_DOORS]),
    );
    return {
      folder,
      control,
      weft: (...args) => runWeft(args, { server: control.addresses.api, cwd: DEMO_FILES }),
      [Symbol.asyncDispose]: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

/** Bookinfo on real Envoys in a world, its services announced. */
export async function startShop(
  world: Pick<World, "folder" | "control">,
  options: { readonly server?: string } = {},
): Promise<Bookinfo> {
  const bookinfo = await startBookinfo({
    controlPlane: world.control,
    block: freeBlock(),
    folder: join(world.folder, "agents"),
    envoyPath: installTools().envoy,
    log: silentLogger,
    ...options,
  });
  await applyText(world.control, servicesYaml(bookinfo.workloads));
  return bookinfo;
}

/** Applies route files of the demo. */
export async function applyFiles(control: ControlPlane, ...files: string[]): Promise<bigint> {
  const { revision } = await control.api.apply({
    documents: files.map((file) => ({
      path: file,
      text: readFileSync(join(DEMO_FILES, file), "utf8"),
    })),
    mutation: { commandId: crypto.randomUUID(), actor: "test" },
  });
  return revision;
}

/** Applies a text, and answers the revision. */
export async function applyText(control: ControlPlane, text: string): Promise<bigint> {
  const { revision } = await control.api.apply({
    documents: [{ path: "test.yaml", text }],
    mutation: { commandId: crypto.randomUUID(), actor: "test" },
  });
  return revision;
}

/** A loopback block that no other test of this machine is likely to live on. */
export function freeBlock(): string {
  const pick = (below: number): number => Math.floor(Math.random() * below);
  return `127.${20 + pick(230)}.${pick(256)}`;
}
