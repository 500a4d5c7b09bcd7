import type { RecordedSetting } from "./recorder.ts";

/** What a filter is configured with, in a dump of Envoy's extensions. */
interface Dump {
  readonly configs?: readonly {
    readonly ecds_filter?: {
      readonly typed_config?: {
        readonly config?: {
          readonly root_id?: string;
          readonly configuration?: { readonly value?: unknown };
        };
      };
    };
  }[];
}

/** What the plugin runs with, as Envoy's config dump tells it; nothing where there are several. */
export function settingIn(dump: unknown): RecordedSetting {
  const plugins = ((dump as Dump).configs ?? []).flatMap(({ ecds_filter: filter }) => {
    return filter?.typed_config?.config ?? [];
  });
  const [plugin] = plugins;
  if (plugin === undefined || plugins.length > 1) return {};
  const { root_id: rootId = "", configuration } = plugin;
  return {
    ...(configuration?.value === undefined ? {} : { configuration: readable(configuration.value) }),
    ...(rootId === "" ? {} : { rootId }),
  };
}

/** JSON as it is meant: people read and change what is recorded. */
function readable(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" ? parsed : value;
  } catch {
    return value; // a configuration need be no JSON
  }
}
