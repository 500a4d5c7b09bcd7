// Compilers for other languages, and modules built with them, below .tools/foreign.

import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export const workshop = resolve(import.meta.dirname, "../../../.tools/foreign");

/** The Rust that Debian builds Firefox with, its sources, and what the crates' builds call. */
const DEBIAN = [
  ...["rustc-web", "libstd-rust-web-dev", "libstd-rust-web-1.96", "rust-web-src", "libllvm22"],
  ...["lld-22", "libprotobuf-dev", "protobuf-compiler", "libprotoc32", "libprotobuf32"],
];

const RUST_TARGET = "wasm32-unknown-unknown";

export type Environment = Readonly<Record<string, string>>;

/** Runs a program; what it says is shown if it fails. */
export function run(
  program: string,
  words: readonly string[],
  { cwd = workshop, env = {} }: { readonly cwd?: string; readonly env?: Environment } = {},
): string {
  mkdirSync(workshop, { recursive: true });
  try {
    return execFileSync(program, words, {
      cwd,
      env: { ...process.env, ...env },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (cause) {
    const { stderr = "" } = cause as { stderr?: string };
    throw new Error(`${program} ${words[0]}: ${stderr.trim().split("\n").slice(-12).join("\n")}`, {
      cause,
    });
  }
}

/** Does something once for all: `make` fills a folder, which is renamed when it is whole. */
export function once(name: string, make: (draft: string) => void): string {
  const home = join(workshop, name);
  if (existsSync(home)) return home;
  const draft = `${home}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  make(draft);
  renameSync(draft, home);
  return home;
}

/** Unpacks Debian's packages into a folder of ours: nothing is installed. */
function debian(): string {
  return once("debian", (draft) => {
    run("apt-get", ["download", ...DEBIAN], { cwd: draft });
    for (const archive of globSync("*.deb", { cwd: draft })) {
      run("dpkg-deb", ["-x", archive, "."], { cwd: draft });
      rmSync(join(draft, archive));
    }
  });
}

function rustEnvironment(): Environment {
  const root = debian();
  const libraries = [join(root, "usr/lib/x86_64-linux-gnu"), join(root, "usr/lib/llvm-22/lib")];
  return {
    LD_LIBRARY_PATH: libraries.join(":"),
    RUSTC: join(root, "usr/bin/rustc"),
    PROTOC: join(root, "usr/bin/protoc"),
    PROTOC_INCLUDE: join(root, "usr/include"),
    // The standard library is built from its sources: there is none for WebAssembly to unpack.
    RUSTC_BOOTSTRAP: "1",
    CARGO_TARGET_DIR: join(workshop, "target"),
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: join(root, "usr/lib/llvm-22/bin/wasm-ld"),
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: [
      "-Clinker-flavor=wasm-ld",
      // Imports of older crates name no module.
      "-Clink-arg=--allow-undefined",
    ].join(" "),
  };
}

/** Compiles a crate's library or examples, and answers the folder with its modules. */
function cargo(folder: string, what: readonly string[]): string {
  const target = ["--target", RUST_TARGET, "-Zbuild-std=std,panic_abort"];
  run("cargo", ["build", "--release", ...target, ...what], {
    cwd: folder,
    env: rustEnvironment(),
  });
  return join(workshop, "target", RUST_TARGET, "release");
}

/** The sources of a published crate, as its authors packed them. */
function crateSources(name: string, version: string): string {
  return once(`crates/${name}-${version}`, (draft) => {
    const asking = `[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "/dev/null"\n`;
    const folder = once(`fetch/${name}-${version}`, (place) => {
      write(join(place, "Cargo.toml"), `${asking}[dependencies]\n${name} = "=${version}"\n`);
    });
    run("cargo", ["fetch"], { cwd: folder });
    const home = process.env["CARGO_HOME"] ?? join(homedir(), ".cargo");
    const [packed] = globSync(`${home}/registry/src/*/${name}-${version}`);
    if (packed === undefined) throw new Error(`cargo has not fetched ${name} ${version}`);
    cpSync(packed, draft, { recursive: true });
    write(join(draft, "Cargo.toml"), `${read(join(draft, "Cargo.toml"))}\n[workspace]\n`);
  });
}

/** The examples of a published crate, by their names. */
export function crateExample(name: string, version: string, example: string): Uint8Array {
  const built = once(`examples/${name}-${version}`, (draft) => {
    const modules = join(cargo(crateSources(name, version), ["--examples"]), "examples");
    for (const path of globSync("*.wasm", { cwd: modules })) {
      cpSync(join(modules, path), join(draft, path));
      rmSync(join(modules, path));
    }
  });
  return readFileSync(join(built, `${example}.wasm`));
}

/** A crate of ours. */
export function ownCrate(folder: string, name: string): Uint8Array {
  const place = copy(folder, `own/${name}`);
  return readFileSync(join(cargo(place, ["--lib"]), `${name}.wasm`));
}

/** A Go program of ours, or what has become of another's. */
export function goProgram(folder: string, tags = ""): Uint8Array {
  const name = join(workshop, "program.wasm");
  const words = ["build", "-buildmode=c-shared", "-tags", tags, "-o", name, "."];
  run("go", words, { cwd: folder, env: { GOOS: "wasip1", GOARCH: "wasm", GOFLAGS: "-mod=mod" } });
  return readFileSync(name);
}

/** The sources of a published Go module. */
export function goModule(path: string, version: string): string {
  return JSON.parse(run("go", ["mod", "download", "-json", `${path}@${version}`])).Dir;
}

/** A copy that may be written to. */
export function copy(from: string, name: string): string {
  const place = join(workshop, name);
  rmSync(place, { recursive: true, force: true });
  cpSync(from, place, { recursive: true });
  run("chmod", ["-R", "u+w", place]);
  return place;
}

export const read = (path: string) => readFileSync(path, "utf8");

export function write(path: string, content: string | Uint8Array): void {
  mkdirSync(resolve(path, ".."), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, content);
}
