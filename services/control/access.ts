import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { WeftError } from "@weft/core/error";
import { isLoopback } from "@weft/core/runtime";
import { type Actor, ActorSchema } from "@weft/proto/weft/event/v1/commit_pb.ts";

/** Decides who may call. */
export interface Access {
  /**
   * Looks at the head of a request, before its body is read.
   *
   * @throws WeftError denied `control.denied` or `control.foreign_origin`
   */
  check(headers: Headers): void;
  /** Who a caller that was let in is, in the log. */
  actorOf(claimed: string): Actor;
}

/** A name for the log, not an essay. */
const ACTOR_LENGTH_MAX = 256;

/** Below it, a token could be guessed over the network. */
const TOKEN_LENGTH_MIN = 16;

const NOBODY = "anonymous";

/**
 * On loopback everybody on the machine may call and is who they say they are. On any other address,
 * or where a token file is named, the token is asked for.
 *
 * @throws WeftError invalid `control.not_loopback`: no token for an address that others reach, or a
 *   token file without a good token.
 */
export async function createAccess(options: {
  readonly host: string;
  readonly tokenFile?: string;
}): Promise<Access> {
  const { host, tokenFile } = options;
  if (tokenFile !== undefined) return byToken(await readToken(tokenFile));
  if (isThisMachine(host)) return byLoopback();
  throw new WeftError("invalid", "control.not_loopback", `${host} is reachable without a token`);
}

/** As `isLoopback`, of a host as URLs write it: an IPv6 address in brackets. */
function isThisMachine(host: string): boolean {
  return isLoopback(host.replace(/^\[|\]$/g, ""));
}

/**
 * A browser on this machine reaches loopback for whatever page it shows, so a request that a page of
 * another origin makes, or under another name that was bound to 127.0.0.1, is not let in.
 */
function byLoopback(): Access {
  return {
    check(headers) {
      const to = urlOf(`http://${headers.get("host") ?? "localhost"}`);
      const origin = headers.get("origin");
      if (to === undefined || !isThisMachine(to.hostname)) {
        throw foreign("the request was sent to a name that is not this machine's");
      }
      // Another port is another program: a workload that answers on loopback, with a page of its own.
      if (origin !== null && urlOf(origin)?.host !== to.host) {
        throw foreign("the request was made by a page of another origin");
      }
    },
    actorOf: (claimed) => actor(claimed, "loopback"),
  };
}

function byToken(token: string): Access {
  const expected = sha256(`Bearer ${token}`);
  return {
    check(headers) {
      const given = headers.get("authorization");
      if (given === null) throw denied("the request has no token");
      // Hashes have one length, so that comparing them tells nothing about the token.
      if (!timingSafeEqual(sha256(given), expected)) throw denied("the token is another one");
    },
    actorOf: (claimed) => actor(claimed, "token"),
  };
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const message = `the token file ${path} cannot be read`;
    throw new WeftError("invalid", "control.not_loopback", message, { cause });
  });
  const token = text.trim();
  if (token.length >= TOKEN_LENGTH_MIN && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new WeftError(
    "invalid",
    "control.not_loopback",
    `${path} holds no token of at least ${TOKEN_LENGTH_MIN} printable characters`,
  );
}

/** A claimed name may not steer the terminal it will be shown on. */
function actor(claimed: string, via: string): Actor {
  const id = claimed
    .replace(/\p{Cc}/gu, "")
    .slice(0, ACTOR_LENGTH_MAX)
    .trim();
  return create(ActorSchema, { id: id || NOBODY, via });
}

function urlOf(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function foreign(message: string): WeftError {
  return new WeftError("denied", "control.foreign_origin", message);
}

function denied(message: string): WeftError {
  return new WeftError("denied", "control.denied", message);
}
