import { isIP } from "node:net";

/** Whether only this machine can mean a host: `localhost`, `::1`, or an address of 127.0.0.0/8. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
