/** What stands before the tables of docs/conformance.md. */
export const GUIDE = `# Conformance of Proxy-Wasm hosts

Each case puts one question to a host: a small module, assembled for it, makes the hostcalls of a list and logs what comes back, while a client and an upstream do what the case has. The same modules run in the host of the SDK (\`@weft/sdk/host\`) and in a real Envoy 1.40; what Envoy showed is recorded in test/conformance/proxy-wasm/envoy-1.40.json, and a test asks it again.

\`\`\`sh
npm test -- test/conformance                                          # both
node test/conformance/proxy-wasm/record.ts                            # asks Envoy, and writes its answers and this page
node test/conformance/proxy-wasm/run.ts test/conformance/proxy-wasm/drive-host.ts grpc
                                                                      # compares a driver's answers with Envoy's
\`\`\`

## Another host

A host takes part by one file, its driver: a module that exports \`drive\`, the \`Driver\` of driver.ts. It is given cases and answers, for each, lines:

1. what the case's plugins have logged at level info and above on the one worker, in order;
2. a line \`client …\` for each request or connection of the client, and \`upstream …\` for each that reached an upstream which the case plays. \`play\` of play.ts makes these lines;
3. or \`refused\` alone, where the host does not accept the configuration, and \`dies of SIGNAL\` alone, where the host does not live through it.

| What a driver does | With what |
|---|---|
| gives each case a listener of its own, of HTTP or with \`isTcp\` of TCP | the case's \`id\` is name, root id and vm id; plugins \`beside\` it stand behind it, and have the vm id \`ID+VM\` if they name a \`vm\` |
| loads the module | \`assembleProbe(one.probe)\` answers its bytes |
| sets what \`Configured\` of case.ts lists | configurations, variables, capabilities, the failure policy |
| routes to a cluster | \`upstream\`, which echoes, is also where callouts go; one of the case's own where the upstream plays (\`playsUpstream\`) and for TCP; \`grpc\` speaks gRPC. answers.ts has what they say, upstream.ts serves it |
| plays the case | \`play(one, stage)\`, with client.ts and upstream.ts as the sides where the host listens on sockets |
| takes the first plugin out where the case has a \`removal\` | then \`act(one.removal, one, stage)\`; those beside it stay |

The name of the route is \`way\`, of its virtual host \`all\`, of the filter chain \`chain\`; the node is \`conformance\` of the cluster \`test\`. What a module says before it has a plugin begins with the case's name. drive-envoy.ts is the driver of a proxy with sockets, drive-host.ts that of a library.

For a host that TypeScript does not reach, \`node test/conformance/proxy-wasm/export.ts FOLDER\` writes each case as JSON beside its modules; \`run.ts\` takes a JSON file of answers by case as well as a driver.

## How to read the tables

A line is a hostcall without its \`proxy_\`, the status it answered (0 is ok), and its results; what a plugin says itself stands for a callback and its parameters. "=" stands where the host shows the same as Envoy.
`;
