interface CodeEntry {
  /** Shown to people; never reused. */
  readonly number: `WEFT${string}`;
  /** How to mend it: one sentence, imperative. */
  readonly help: string;
}

/**
 * Every error code, once. 01xx manifests and nouns, 02xx the log, 03xx xDS and translation,
 * 04xx plugins, 05xx identity, 06xx the API and the command line.
 */
export const CODES = {
  "manifest.syntax": { number: "WEFT0101", help: "mend the YAML at this place" },
  "manifest.too_large": { number: "WEFT0102", help: "split the file into smaller ones" },
  "manifest.unknown_kind": {
    number: "WEFT0103",
    help: "see `weft explain kinds` for what a mesh holds",
  },
  "manifest.unknown_version": {
    number: "WEFT0104",
    help: "use a version of this kind that Weft reads",
  },
  "manifest.unknown_field": { number: "WEFT0105", help: "remove the field or mend its name" },
  "manifest.bad_value": { number: "WEFT0106", help: "write a value that the field can have" },
  "manifest.bad_metadata": {
    number: "WEFT0107",
    help: "give the resource a name and labels as Kubernetes wants them",
  },
  "manifest.duplicate": { number: "WEFT0108", help: "keep one of the two documents" },
  "manifest.untranslated": {
    number: "WEFT0109",
    help: "the field is stored, but proxies do not act on it yet",
  },
  "manifest.foreign_kind": {
    number: "WEFT0110",
    help: "apply it to the platform it belongs to; Weft only keeps mesh configuration",
  },
  "manifest.missing_field": { number: "WEFT0111", help: "add the field" },
  "manifest.conflicting_fields": {
    number: "WEFT0112",
    help: "keep what is meant and remove the rest",
  },
  "manifest.repeated_value": { number: "WEFT0113", help: "give each its own name, or keep one" },
  "mesh.unknown_resource": { number: "WEFT0120", help: "list what there is with `weft get KIND`" },
  "mesh.unknown_revision": { number: "WEFT0121", help: "list the revisions with `weft log`" },
  "mesh.nothing_to_revert": { number: "WEFT0122", help: "pick a revision that changed resources" },
  "mesh.revert_conflict": {
    number: "WEFT0123",
    help: "take the later revisions back first, or use --restore",
  },
  "mesh.unknown_host": {
    number: "WEFT0124",
    help: "describe the host with a ServiceEntry, or mend its name",
  },
  "mesh.unknown_subset": {
    number: "WEFT0125",
    help: "define the subset in a DestinationRule of the host",
  },
  "mesh.unknown_gateway": { number: "WEFT0126", help: "apply the Gateway, or mend its name" },
  "mesh.unknown_delegate": {
    number: "WEFT0127",
    help: "apply the VirtualService that is delegated to, or mend its name",
  },
  "mesh.unreachable_rule": { number: "WEFT0130", help: "move the narrower rule in front" },
  "log.conflict": { number: "WEFT0201", help: "reload and try again" },
  "log.unavailable": { number: "WEFT0202", help: "wait until NATS answers again" },
  "log.outcome_unknown": {
    number: "WEFT0203",
    help: "run the command again with the same command id",
  },
  "log.frozen": {
    number: "WEFT0204",
    help: "compare the log with its backup before anything else is written",
  },
  "log.full": { number: "WEFT0205", help: "give the stream more room" },
  "log.old_server": { number: "WEFT0206", help: "start nats-server 2.15 or newer" },
  "log.bad_stream": { number: "WEFT0207", help: "restore the stream's settings" },
  "log.too_large": { number: "WEFT0208", help: "apply in smaller pieces" },
  "log.blob_missing": { number: "WEFT0209", help: "push the plugin again" },
  "log.behind": { number: "WEFT0210", help: "try again in a moment, or ask another replica" },
  "log.bad_name": { number: "WEFT0212", help: "name the mesh with letters, digits, - and _" },
  "log.bad_command_id": { number: "WEFT0213", help: "use a UUID as the command id" },
  "log.command_reused": { number: "WEFT0211", help: "send a new request under a new command id" },
  "xds.bad_request": { number: "WEFT0301", help: "send what the xDS protocol asks for" },
  "xds.denied": {
    number: "WEFT0302",
    help: "connect with a certificate of the node's own identity",
  },
  "xds.not_ready": { number: "WEFT0304", help: "wait until the replica has read the log" },
  "proxy.bad_description": { number: "WEFT0303", help: "give id, type, ip, namespace and labels" },
  "plugin.not_wasm": {
    number: "WEFT0401",
    help: "build the module with `weft plugin build`",
  },
  "plugin.no_abi": { number: "WEFT0402", help: "export exactly one proxy_abi_version_* function" },
  "plugin.start_section": { number: "WEFT0403", help: "compile with --exportStart _initialize" },
  "plugin.bad_import": {
    number: "WEFT0404",
    help: "import only what Envoy's host offers for this ABI",
  },
  "plugin.bad_export": { number: "WEFT0405", help: "give the callback the signature of its ABI" },
  "plugin.no_memory": {
    number: "WEFT0406",
    help: "export the memory, at most 16384 pages to begin with",
  },
  "plugin.no_allocator": { number: "WEFT0407", help: "export malloc or proxy_on_memory_allocate" },
  "plugin.too_large": {
    number: "WEFT0408",
    help: "make the module smaller: -O3, no debug sections",
  },
  "plugin.unknown": { number: "WEFT0409", help: "push it first with `weft plugin push`" },
  "plugin.bad_name": { number: "WEFT0410", help: "use lower-case letters, digits and dashes" },
  "plugin.in_use": {
    number: "WEFT0411",
    help: "delete or change the WasmPlugins that name it first",
  },
  "plugin.does_not_compile": { number: "WEFT0412", help: "mend the places named above" },
  "plugin.bad_exchange": {
    number: "WEFT0413",
    help: "write exchanges as docs/plugins/workshop.md shows",
  },
  "plugin.refuses": {
    number: "WEFT0414",
    help: "mend the configuration; the plugin says what is wrong with it",
  },
  "plugin.trapped": { number: "WEFT0415", help: "mend the line that the first frame names" },
  "plugin.no_plugin": {
    number: "WEFT0416",
    help: "name a plugin's folder, or begin one with `weft plugin new`",
  },
  "plugin.no_budget": {
    number: "WEFT0417",
    help: "begin one with `weft plugin bench --update`, then add exchanges to it",
  },
  "plugin.bad_setting": {
    number: "WEFT0421",
    help: "write the setting as docs/plugins/dev.md shows",
  },
  "plugin.red": {
    number: "WEFT0422",
    help: "mend the plugin or its tests; --no-test serves it all the same",
  },
  "plugin.not_taken": { number: "WEFT0423", help: "mend what is said above; the old one goes on" },
  "plugin.no_tap": {
    number: "WEFT0424",
    help: "record from `weft plugin dev`, or put a tap filter with an admin_config before the plugin",
  },
  "plugin.not_empty": { number: "WEFT0418", help: "name a folder that is new or empty" },
  "ca.bad_csr": {
    number: "WEFT0501",
    help: "send a PKCS#10 request of at most 8 KiB, signed by its own key",
  },
  "ca.bad_key": {
    number: "WEFT0502",
    help: "use P-256, P-384, Ed25519 or RSA of 2048 bits and more",
  },
  "ca.denied": { number: "WEFT0503", help: "make a new token with `weft token create`" },
  "ca.bad_identity": {
    number: "WEFT0504",
    help: "use names of letters, digits, dots, dashes and underscores",
  },
  "ca.no_root": { number: "WEFT0505", help: "start a replica with the role ca first" },
  "ca.busy": { number: "WEFT0506", help: "wait a minute and try again" },
  "ca.bad_ttl": { number: "WEFT0507", help: "ask for a shorter time" },
  "ca.bad_root": {
    number: "WEFT0508",
    help: "mend the root folder or restore it from its backup, and set WEFT_CA_KEK if it is encrypted",
  },
  "ca.other_root": {
    number: "WEFT0509",
    help: "start with a copy of the root folder of the mesh's first CA",
  },
  "agent.no_envoy": { number: "WEFT0510", help: "set WEFT_ENVOY or put envoy on PATH" },
  "agent.unreachable": {
    number: "WEFT0511",
    help: "check --server and that the control plane runs",
  },
  "agent.refused": {
    number: "WEFT0512",
    help: "start it with a new token from `weft token create`",
  },
  "agent.bad_certificate": {
    number: "WEFT0513",
    help: "check the roots and the trust domain against those of the control plane",
  },
  "agent.bad_folder": {
    number: "WEFT0514",
    help: "give each agent a folder of its own with a short path",
  },
  "agent.bad_options": { number: "WEFT0515", help: "mend the option" },
  "agent.envoy_failed": {
    number: "WEFT0516",
    help: "see the last line of Envoy's log in its folder; often a port is taken",
  },
  "control.bad_request": { number: "WEFT0601", help: "mend the request" },
  "control.stale_base": {
    number: "WEFT0602",
    help: "look at what changed with `weft log`, then apply on the new head",
  },
  "control.refused": {
    number: "WEFT0603",
    help: "mend the places named above; nothing was changed",
  },
  "control.denied": {
    number: "WEFT0604",
    help: "name the file that holds the API's token with --token-file",
  },
  "control.internal": {
    number: "WEFT0605",
    help: "the control plane's own log has the cause",
  },
  "control.busy": { number: "WEFT0606", help: "close another one, or try again later" },
  "control.not_loopback": {
    number: "WEFT0607",
    help: "listen on 127.0.0.1, or name a file with a token",
  },
  "control.foreign_origin": {
    number: "WEFT0608",
    help: "call the API as 127.0.0.1 or localhost, and not from a page of another site",
  },
  "cli.usage": { number: "WEFT0610", help: "see `weft --help`" },
  "cli.no_file": { number: "WEFT0611", help: "check the path" },
  "cli.unreachable": {
    number: "WEFT0612",
    help: "start a control plane with `weft up`, or name one with --server",
  },
  "cli.timed_out": {
    number: "WEFT0613",
    help: "give it more time with --timeout, or look at the control plane's log",
  },
  "cli.unknown_topic": { number: "WEFT0614", help: "list all codes with `weft explain codes`" },
  "cli.failed": { number: "WEFT0615", help: "run it again with WEFT_DEBUG=1 to see the stack" },
  "cli.no_compiler": {
    number: "WEFT0616",
    help: "build the module yourself and push the .wasm file",
  },
  "cli.no_proxy": { number: "WEFT0617", help: "list the connected ones with `weft ps`" },
} as const satisfies Record<string, CodeEntry>;

/** A stable code, `noun.reason`. */
export type Code = keyof typeof CODES;
