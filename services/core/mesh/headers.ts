import type { Headers } from "@weft/proto/weft/mesh/v1/virtual_service_pb.ts";
import { entryOf, type Report } from "./finding.ts";
import { isHttpToken } from "./names.ts";

/** Reports header operations that Envoy would refuse. */
export function checkHeaderOperations({ request, response }: Headers, report: Report): void {
  for (const [side, operations] of Object.entries({ request, response })) {
    if (operations === undefined) continue;
    const at = report.in(side);
    for (const verb of ["set", "add"] as const) {
      for (const [name, value] of Object.entries(operations[verb])) {
        const field = verb + entryOf(name);
        const problem = headerProblem(name, side === "request" && verb === "set");
        if (problem !== undefined) at.bad(field, problem);
        if (/[\0\r\n]/.test(value)) at.bad(field, `the value of header ${name} has a line break`);
      }
    }
    for (const [index, name] of operations.remove.entries()) {
      const problem = headerProblem(name, false);
      if (problem !== undefined) at.bad(`remove[${index}]`, problem);
    }
  }
}

/** Only setting the authority of a request is possible: it becomes a host rewrite. */
function headerProblem(name: string, mayBeAuthority: boolean): string | undefined {
  const isAuthority = /^(?::authority|host)$/i.test(name);
  if (isAuthority) return mayBeAuthority ? undefined : `header ${name} can only be set on requests`;
  if (name.startsWith(":")) return `header ${name} is HTTP/2's own`;
  return isHttpToken(name) ? undefined : `${JSON.stringify(name)} is no name of a header`;
}
