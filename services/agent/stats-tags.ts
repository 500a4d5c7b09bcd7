interface StatsTag {
  readonly tagName: string;
  /** The first group is cut out of the name, the second is the value. */
  readonly tagValue: { readonly case: "regex"; readonly value: string };
}

/**
 * The labels of the metrics of plugins in the catalog. Envoy knows none by itself, and has to be
 * told of each by its name.
 */
const PLUGIN_LABELS = [
  "canary",
  "class",
  "decision",
  "header",
  "kind",
  "reason",
  "rule",
  "tag",
  "verdict",
  "version",
] as const;

/**
 * How labels are read out of names of statistics, in the place of Envoy's own ways: a cluster's name
 * has dots, and ends in `;` (istio-api.md, section 2.5).
 */
export const STATS_TAGS: readonly StatsTag[] = [
  tag("cluster_name", "^cluster\\.((.+?);\\.)"),
  tag("http_conn_manager_prefix", "^http\\.((.+?);\\.)"),
  tag("tcp_prefix", "^tcp\\.((.+?);?\\.)\\w+$"),
  tag("listener_address", "^listener\\.((\\[[0-9a-fA-F_.]+\\]_\\d+|[\\d.]+_\\d+)\\.)"),
  tag("response_code", "_rq(_(\\d{3}))$"),
  tag("response_code_class", "_rq(_(\\dxx))$"),
  // A plugin writes them into the name: `wasmcustom.hits.class=.=2xx;.;`.
  ...PLUGIN_LABELS.map((label) => tag(label, `^wasmcustom\\..*?[.;](${label}=\\.=(.*?);\\.;)`)),
];

function tag(tagName: string, regex: string): StatsTag {
  return { tagName, tagValue: { case: "regex", value: regex } };
}
