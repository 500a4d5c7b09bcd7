import { createHost, type Header, type Host, type ProfileName, Trap } from "@weft/sdk/host";
import type { Case } from "./case.ts";
import { assembleProbe } from "./probe.ts";

/** Headers that an Envoy adds, or that every client sends. */
const ALWAYS: readonly Header[] = [
  [":authority", "probe"],
  [":path", "/path?query"],
  [":method", "GET"],
  [":scheme", "http"],
  ["x-forwarded-proto", "http"],
  ["x-request-id", "00000000-0000-0000-0000-000000000000"],
];

/** Virtual time for callouts and ticks to come to their end. */
const SETTLE_MS = 1_000;

/** Runs a case in our host and answers what it shows. */
export function driveHost(one: Case, profile: ProfileName): string[] {
  let host: Host;
  try {
    host = createHost(assembleProbe(one.probe), { profile, vmId: one.id });
    script(host);
    const names = { name: one.id, rootId: one.id };
    const root = host.start(one.configuration ?? "", names);
    if (root === null) return ["refused"];
    const client = exchange(host, root, one);
    return [...host.logs.map(({ message }) => message), `client ${client}`];
  } catch (error) {
    if (error instanceof Error && /LoadError|Trap/.test(error.name)) return ["refused"];
    throw error;
  }
}

function script(host: Host): void {
  const upstream = host.upstream("upstream");
  upstream.on(({ headers, body }) => ({
    headers: [[":status", "200"], ...echoed(headers)],
    body: `upstream${body}`,
  }));
}

/** What the upstream answers in headers: those of the request that begin with x-t-. */
function echoed(headers: readonly Header[]): Header[] {
  const own = headers.filter(([name]) => name.startsWith("x-t-"));
  return own.length === 0 ? [] : [["x-saw", own.map((each) => each.join("=")).join(";")]];
}

/** Plays client and upstream of one request, and answers what the client gets. */
function exchange(host: Host, root: number, one: Case): string {
  const { headers = [], body } = one.request ?? {};
  try {
    const stream = host.openStream(root);
    const hasBody = body !== undefined;
    const method = (header: Header): Header =>
      hasBody && header[0] === ":method" ? [":method", "POST"] : header;
    stream.requestHeaders([...ALWAYS.map(method), ...headers], !hasBody);
    if (hasBody) {
      stream.requestBody(body, false);
      stream.requestBody("", true);
    }
    host.advance(SETTLE_MS);
    const sent = stream.request.headers;
    const isFree = stream.localResponse === null && !stream.isReset;
    if (sent !== null && isFree && !stream.request.isPaused) {
      const head: Header[] = [[":status", "200"], ["content-type", "text/plain"], ...echoed(sent)];
      stream.responseHeaders(head, false);
      stream.responseBody(`upstream${Buffer.from(stream.request.body)}`, false);
      stream.responseBody("", true);
      host.advance(SETTLE_MS);
    }
    const seen = clientSees(stream);
    end(host, stream);
    return seen;
  } catch (error) {
    if (error instanceof Trap) return "503 ";
    throw error;
  }
}

/** Closes a stream. The client has its answer by then, whatever the plugin does. */
function end(host: Host, stream: ReturnType<Host["openStream"]>): void {
  try {
    stream.close();
    host.advance(SETTLE_MS);
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
  }
}

function clientSees(stream: ReturnType<Host["openStream"]>): string {
  const { localResponse, response, isReset } = stream;
  if (isReset) return "reset";
  if (localResponse !== null) {
    const { status, body, headers } = localResponse;
    const added = headers.flatMap(([name, value]) => (name === "x-added" ? [value] : []));
    return [status, Buffer.from(body).toString(), ...added].join(" ");
  }
  if (response.headers === null) return "nothing";
  const header = (name: string) => response.headers?.find(([other]) => other === name)?.[1];
  const saw = ["x-saw", "x-added"].flatMap((name) => header(name) ?? []);
  return [header(":status"), Buffer.from(response.body).toString(), ...saw].join(" ");
}
