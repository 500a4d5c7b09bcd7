import { Bytes } from "@weft/sdk/assembly";

/** What a user gets. */
export enum Version { Stable, Canary }

const STABLE = Bytes.of("stable");
const CANARY = Bytes.of("canary");

export function nameOf(version: Version): Bytes {
  return version == Version.Canary ? CANARY : STABLE;
}
