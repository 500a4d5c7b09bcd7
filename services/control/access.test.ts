import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createAccess } from "./access.ts";

function tokenFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "weft-token-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "token");
  writeFileSync(path, text);
  return path;
}

test("on loopback callers are who they say they are", async () => {
  const access = await createAccess({ host: "127.0.0.1" });
  access.check(new Headers({ host: "127.0.0.1:8080" }));
  access.check(new Headers({ host: "localhost:8080", origin: "http://localhost:8080" }));
  expect(access.actorOf("ada@desk")).toMatchObject({ id: "ada@desk", via: "loopback" });
  expect(access.actorOf("\u001b[31m ")).toMatchObject({ id: "[31m", via: "loopback" });
  expect(access.actorOf("")).toMatchObject({ id: "anonymous", via: "loopback" });
});

test("a page of another site cannot call the API on loopback", async () => {
  const access = await createAccess({ host: "[::1]" });
  for (const headers of [
    { host: "evil.example:8080" },
    { host: "127.0.0.1:8080", origin: "https://evil.example" },
    { host: "127.0.0.1:8080", origin: "null" },
    { host: "127.0.0.1:8080", origin: "http://127.0.0.1:9999" },
    { host: "127.0.0.1:8080", origin: "http://localhost:8080" },
  ]) {
    expect(() => access.check(new Headers(headers))).toThrow("control.foreign_origin");
  }
});

test("an address that others reach needs a token", async () => {
  await expect(createAccess({ host: "0.0.0.0" })).rejects.toThrow("control.not_loopback");
  await expect(createAccess({ host: "127.0.0.1.evil.example" })).rejects.toThrow(
    "control.not_loopback",
  );
  await expect(createAccess({ host: "0.0.0.0", tokenFile: tokenFile("short\n") })).rejects.toThrow(
    "control.not_loopback",
  );
});

test("with a token file, the token and nothing else lets a caller in", async () => {
  const path = tokenFile("a-token-of-good-length\n");
  const access = await createAccess({ host: "0.0.0.0", tokenFile: path });
  access.check(new Headers({ authorization: "Bearer a-token-of-good-length" }));
  expect(access.actorOf("ada")).toMatchObject({ id: "ada", via: "token" });
  for (const headers of [
    {},
    { authorization: "Bearer another-token-of-length" },
    { authorization: "a-token-of-good-length" },
  ]) {
    expect(() => access.check(new Headers(headers as Record<string, string>))).toThrow(
      "control.denied",
    );
  }
});
