import { expect, test } from "vitest";
import { checkServerVersion } from "./connection.ts";

test("a nats-server before 2.15 is refused, with its version and why", () => {
  for (const version of ["2.14.9", "2.9.10", "1.99.0", "unknown"]) {
    expect(() => checkServerVersion(version)).toThrow(
      `log.old_server: nats-server ${version} is older than 2.15: it can lose messages it has ` +
        "acknowledged, and passes over settings it does not know",
    );
  }
});

test("nats-server 2.15 and newer is taken, previews too", () => {
  for (const version of ["2.15.0", "2.15.1", "2.16.0-preview.1", "3.0.0"]) {
    expect(checkServerVersion(version)).toBeUndefined();
  }
});
