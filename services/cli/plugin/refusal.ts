import { WeftError } from "@weft/core/error";
import type { Finding } from "@weft/proto/weft/control/v1/control_pb.ts";
import { LocatedError } from "../errors.ts";
import type { Configuration } from "./dev-settings.ts";
import { findingOf } from "./translate-error.ts";

/** How the SDK tells what is wrong with a configuration, as far as it names a place. */
const CONFIGURATION = /^(?:[^:]+: )?(\S+?):? .*, at byte (\d+)$/;

/** What Envoy says of modules that it cannot run, and what to do then. */
const MENDS: readonly (readonly [RegExp, string])[] = [
  [/corrupted Wasm module/, "build the module again; it is cut or is no Wasm"],
  [/missing import: (\S+)/, "call only what Envoy 1.40 offers plugins"],
  [/import type mismatch/, "declare the hostcall as the ABI has it"],
  [/Bad function signature/, "give the callback the parameters of its ABI"],
  [/unknown Proxy-Wasm ABI/, "export exactly one proxy_abi_version_*"],
  [/proxy_on_configure failed/, "it traps while it is configured: mend the line that traps"],
  [/proxy_on_(vm_start|context_create) failed/, "it traps at its start: mend the line that traps"],
  [/Failed to create new Wasm instance/, "begin with less memory"],
  [
    /Failed to configure base Wasm plugin/,
    "it refuses without a word: check its root id, and log a reason where it answers false",
  ],
];

/** Why Envoy has not taken a plugin, with places and mends where there are any. */
export function refusalError(causes: readonly string[], configuration: Configuration): Error {
  const findings = causes.map((cause) => findingIn(cause, configuration));
  const error = new WeftError("invalid", "plugin.not_taken", "Envoy does not take the plugin", {
    findings,
  });
  return new LocatedError(error, configuration.file === undefined ? [] : [configuration.file]);
}

function findingIn(cause: string, configuration: Configuration): Finding {
  const [, member, byte] = CONFIGURATION.exec(cause) ?? [];
  const { file } = configuration;
  if (file !== undefined && member !== undefined && byte !== undefined) {
    return findingOf("plugin.not_taken", {
      message: cause,
      help: "mend the configuration",
      path: file.path,
      ...configuration.place(stepsOf(member), Number(byte)),
    });
  }
  const help = MENDS.find(([pattern]) => pattern.test(cause))?.[1] ?? "";
  return findingOf("plugin.not_taken", { message: cause, help, path: "", line: 0, column: 0 });
}

/** `rules[2].percent` as steps; `configuration` is the whole. */
export function stepsOf(member: string): (string | number)[] {
  if (member === "configuration") return [];
  return [...member.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = ""]) =>
    index === undefined ? name : Number(index),
  );
}
