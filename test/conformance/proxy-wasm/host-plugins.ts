import {
  createHost,
  createWorker,
  type Host,
  type ProfileName,
  RefusedError,
  Trap,
  upstreamOf,
  type Worker,
  type World,
} from "@weft/sdk/host";
import { answerCallout, methodOf } from "./answers.ts";
import type { Case, Configured } from "./case.ts";
import { assembleProbe } from "./probe.ts";

/** The plugins of a case in VMs of one world, as one worker of a proxy has them. */
export interface Plugins {
  readonly workers: readonly Worker[];
  /** Runs what may trap: the VM is dead then, and whoever waits for it goes on waiting. */
  guard(act: () => void): void;
  /** Lets time pass. */
  pass(ms: number): void;
  /** Takes the first of them out. */
  remove(): void;
}

interface Vm {
  readonly key: string;
  host: Host;
  readonly roots: Map<string, number>;
}

/** Starts the plugins of a case; throws as the host does if one cannot. */
export function createPlugins(one: Case, profile: ProfileName, world: World): Plugins {
  script(world);
  const vms: Vm[] = [];
  const all: readonly (Configured & { readonly vm?: string })[] = [
    one,
    ...(one.beside ?? []).map((beside) => ({ ...one, ...beside })),
  ];
  const workers = all.map((own) => {
    const vmId = own.vm === undefined ? one.id : `${one.id}+${own.vm}`;
    return createWorker(() => load({ own, vmId, id: one.id, profile, world, vms }), {
      ...own,
      world,
    });
  });
  const guard = (act: () => void) => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
    }
  };
  return {
    workers,
    guard,
    pass: (ms) => guard(() => world.clock.advance(ms)),
    remove: () => {
      const [first] = workers;
      if (first === undefined) return;
      const isShared = workers.some((each) => each !== first && each.host === first.host);
      try {
        first.host.stop(first.root);
        // The last root takes its VM along, whatever it has put off.
        if (!isShared) first.host.close();
      } catch (error) {
        if (!(error instanceof Trap)) throw error;
      }
    },
  };
}

interface Loading {
  readonly own: Configured;
  readonly id: string;
  readonly vmId: string;
  readonly profile: ProfileName;
  readonly world: World;
  readonly vms: Vm[];
}

/** Finds the VM of a plugin and its root, or makes them: equals share them. */
function load({ own, id, vmId, profile, world, vms }: Loading): { host: Host; root: number } {
  const { configuration = "", vmConfiguration = "", capabilities = [] } = own;
  const wasm = assembleProbe(own.probe);
  const key = JSON.stringify([vmId, vmConfiguration, Buffer.from(wasm).toString("base64")]);
  let vm = vms.find((each) => each.key === key && !each.host.hasFailed);
  if (vm === undefined) {
    const host = createHost(wasm, { profile, vmId, vmConfiguration, capabilities, world });
    vm = { key, host, roots: new Map() };
    vms.push(vm);
  }
  const known = vm.roots.get(configuration);
  if (known !== undefined) return { host: vm.host, root: known };
  const { allowsHeadersStop = false } = own;
  const root = vm.host.start(configuration, { name: id, rootId: id, allowsHeadersStop });
  if (root === null) throw new RefusedError("Failed to configure base Wasm plugin");
  vm.roots.set(configuration, root);
  return { host: vm.host, root };
}

/** What never comes, as far as a case waits. */
const NEVER_MS = 1_000_000;

function script(world: World): void {
  upstreamOf(world, "upstream").on((request) => {
    const path = request.headers.find(([name]) => name === ":path")?.[1] ?? "";
    // Over HTTP/1.1 a message with a length has no trailers.
    const answer = answerCallout(path, { ...request, trailers: [] });
    if (answer === "drop") return "reset";
    return answer === "silence" ? { delayMs: NEVER_MS } : answer;
  });
  upstreamOf(world, "grpc").onGrpc(({ method, metadata, message, endOfStream, isEnd }) => {
    const { onMessage, onEnd } = methodOf(method);
    const first = isEnd ? {} : onMessage(Buffer.from(message).toString(), metadata);
    const last = endOfStream ? onEnd : {};
    if (first === "drop" || last === "drop") return "reset";
    if (first === "silence" || last === "silence") return { delayMs: NEVER_MS };
    return { ...last, ...first };
  });
}
