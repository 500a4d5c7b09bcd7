/** Whether the text is an IPv4 or IPv6 address, without brackets, zone or prefix. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return (
    parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && +part < 256)
  );
}

export function isIpv6(text: string): boolean {
  // A dotted tail stands for the last two groups (RFC 4291, 2.2).
  const tail = /^(.*:)([\d.]+)$/.exec(text);
  if (tail?.[2]?.includes(".")) {
    return isIpv4(tail[2]) && isIpv6(`${tail[1]}0:0`);
  }
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

/** An address, or a network such as `192.0.2.0/24`. */
export function isNetwork(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return isIpAddress(text);
  const [address, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits)) return false;
  return (isIpv4(address) && +bits <= 32) || (isIpv6(address) && +bits <= 128);
}

/** Why a Unix socket's address does not do, or undefined if it does. `unix://` is expected. */
export function unixProblem(address: string): string | undefined {
  const path = address.slice("unix://".length);
  if (!path.startsWith("/") && !path.startsWith("@")) {
    return "is neither an absolute path nor an abstract socket";
  }
  return path.startsWith("/") && path.endsWith("/") ? "is a directory" : undefined;
}
