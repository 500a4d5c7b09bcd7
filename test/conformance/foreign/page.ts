import type { Shown } from "./module.ts";
import type { Source } from "./modules.ts";

/** What came of a module in both. */
export interface Compared {
  readonly source: Source;
  readonly bytes: number;
  readonly host: Shown;
  readonly envoy: Shown;
}

const INTRODUCTION = `# Modules of other SDKs

A host is as good as the modules that it runs and that its authors did not write. Each module below went through the host of the SDK (\`@weft/sdk/host\`) and through a real Envoy 1.40: loaded, configured, and sent the same requests one after the other. Compared were, for each request, what the upstream saw and what the client got; every line that the plugin said, with its level; and how often it made each hostcall, as Envoy traces them. Times and random ids are masked, WASI calls are not counted, since they hang on time.

\`\`\`sh
node test/conformance/foreign/run.ts             # all of them, and writes this page
node test/conformance/foreign/run.ts coraza      # those whose name has the word, and what differs
\`\`\`

It is run by hand: it needs cargo, go and npm, and apt-get and dpkg-deb of a Debian 12, and the first run takes some minutes. Nothing is installed; all lies in \`.tools/foreign\`.

*package* modules are what the authors of a published package wrote: an SDK's own examples, a plugin, a compiled module. *ours* are programs of ours on the SDK's API: the *tour* changes single headers and all of them, reads and replaces bodies, calls out and goes on or answers itself, reads and sets properties, shares data, counts, answers with and without a body, and panics at last.
`;

const FINDINGS = `
## What it found

Three mistakes of the host, each mended, with a test of a module assembled to show it:

- It refused modules with a start section, since Envoy dies of a hostcall from there. Envoy runs those that make none, and older AssemblyScript compilers emit one. (\`extensions/sdk/host/start-section.test.ts\`)
- Headers and trailers of a callout's answer were there for the root alone. The Rust SDK reads them as the stream that asked. (\`callout.test.ts\`)
- A plugin's own answer lacked the \`content-length\` and \`content-type\` that Envoy gives it before the response's callbacks see it. (\`local-response.test.ts\`)

What looks like a failure and is the same in both:

- \`hello_world\` of both crates only ticks; made a filter, it panics on the first stream, and its clients get 503.
- \`http_body\` of proxy-wasm 0.1.2 holds the response's headers back until the body has come. A pause on headers stops the body as well, so that its clients wait for ever. Later versions of the example go on.
- \`http.wasm\`, a C++ module from the package of another host, says that it is of ABI 0.1.0 and exports \`proxy_on_request_headers\` with the parameters of 0.2.0. Both refuse it.
- @solo-io/proxy-runtime takes the length of its configuration for an address: without a configuration Envoy refuses it, with one it writes below its data and goes on.
- A plugin that replaces all headers of a request and leaves \`x-forwarded-proto\` out gets 404 from Envoy, which finds no route without it. The host has no routes.

## What was not to be had

- proxy-wasm-cpp-sdk is in no package registry; the one module above is all that was found compiled.
- TinyGo is in none either. coraza-proxy-wasm, written for it, is moved to the SDK for Go while it is built: imports are renamed, and \`main\` becomes \`init\`. Its rules are read from the configuration; \`no_fs_access\` keeps it from probing for files, for which Envoy and the host refuse it in the same words.
- Rust has no WebAssembly target among Debian's packages that is new enough: its standard library is built from its sources, for \`wasm32-unknown-unknown\`.
`;

const size = (bytes: number) =>
  bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

const total = (calls: readonly string[]) =>
  calls.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);

/** "12 =" where both show the same of them, else how many of each. */
function versus(host: readonly string[], envoy: readonly string[], count = length): string {
  if (same(host, envoy)) return count(host) === 0 ? "" : `${count(host)} =`;
  return `${count(host)} ≠ ${count(envoy)}`;
}

const length = (lines: readonly string[]) => lines.length;

function row({ source, bytes, host, envoy }: Compared): string {
  const word = (isLoaded: boolean) => (isLoaded ? "yes" : "refused");
  const loads = [...new Set([host, envoy].map(({ isLoaded }) => word(isLoaded)))].join(" ≠ ");
  const cells = [
    source.id,
    source.sdk,
    source.author,
    size(bytes),
    loads,
    versus(host.exchanges, envoy.exchanges),
    versus(host.logs, envoy.logs),
    versus(host.calls, envoy.calls, total),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** The page docs/foreign-modules.md. */
export function writePage(compared: readonly Compared[]): string {
  const equal = compared.filter(({ host, envoy }) => same(host, envoy)).length;
  const head = [
    "| Module | SDK | Author | Size | Loads | Requests | Log lines | Hostcalls |",
    "|---|---|---|---|---|---|---|---|",
  ];
  const count = `${compared.length} modules; the host and Envoy show the same of ${equal}. "=" stands where all of them are the same.\n`;
  return [INTRODUCTION, count, ...head, ...compared.map(row), FINDINGS].join("\n");
}
