import type { Connection, Flow, Header, Stream } from "../host/index.ts";

/** What `expect` can say of streams. */
export interface PluginMatchers<R> {
  /**
   * Headers, or a direction of a stream that has gone on, hold this header: with this value if one
   * is given, which stands for all its values, joined by ", ".
   */
  toHaveHeader(name: string, value?: string | RegExp): R;
  /** The plugin holds this direction of a stream, or this connection, back. */
  toPause(): R;
  /** The plugin has answered the stream itself, with this status, and this body if one is given. */
  toRespond(status: number, body?: string | RegExp): R;
}

interface Verdict {
  readonly pass: boolean;
  readonly message: () => string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

export const matchers = {
  toHaveHeader(received: readonly Header[] | Flow, name: string, value?: string | RegExp): Verdict {
    const headers = "isPaused" in received ? received.headers : received;
    if (headers === null) {
      return { pass: false, message: () => "no headers have gone on: the plugin holds them" };
    }
    const values = headers.filter(([other]) => other === name.toLowerCase()).map(([, own]) => own);
    const found = values.length === 0 ? null : values.join(", ");
    const wanted = value === undefined ? name : `${name}: ${value}`;
    const shown = found === null ? "there is none" : `it is ${JSON.stringify(found)}`;
    const all = headers.map((header) => `\n  ${header.join(": ")}`).join("");
    return {
      pass: found !== null && (value === undefined || fits(found, value)),
      message: () => `header ${wanted}: ${shown}, among${all || " no headers"}`,
      ...(value === undefined ? {} : { actual: found, expected: value }),
    };
  },

  toPause({ isPaused }: Flow | Connection): Verdict {
    return {
      pass: isPaused,
      message: () => `the plugin ${isPaused ? "holds it back" : "lets it go on"}`,
    };
  },

  toRespond({ localResponse }: Stream, status: number, body?: string | RegExp): Verdict {
    if (localResponse === null) {
      return { pass: false, message: () => "the plugin has not answered the stream itself" };
    }
    const text = Buffer.from(localResponse.body).toString();
    const isBody = body === undefined || fits(text, body);
    return {
      pass: localResponse.status === status && isBody,
      message: () => `the plugin has answered ${localResponse.status} ${JSON.stringify(text)}`,
      actual: [localResponse.status, text],
      expected: [status, body ?? text],
    };
  },
};

function fits(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === "string" ? text === wanted : wanted.test(text);
}
