import {
  Action, Body, Bytes, config, filter, Headers, HttpFilter, max, min,
} from "@weft/sdk/assembly";

@config
class Settings {
  /** What to put before `</body>`, as HTML. */
  @min(1) notice!: string;
  /** Bytes of a page that are held back at most; larger pages pass as they are. */
  @min(1) @max(1000000) limit: u32 = 100000;
}

/**
 * Puts a notice into HTML pages. A body comes in pieces that may be cut anywhere, even within
 * `</body>`: a page is held back until all of it is there, as far as the limit allows.
 */
@filter("plugin-name")
export class Notices extends HttpFilter<Settings> {
  private isPage: bool = false;

  onResponseHeaders(headers: Headers, endOfStream: bool): Action {
    const type = headers.get("content-type");
    const isPlain = !headers.has("content-encoding");
    this.isPage = !endOfStream && isPlain && type != null && type.startsWith("text/html");
    // The page grows: a length that no longer fits would cut it.
    if (this.isPage) headers.remove("content-length");
    return Action.Continue;
  }

  onResponseBody(body: Body, size: u32, endOfStream: bool): Action {
    if (!this.isPage) return Action.Continue;
    if (size > this.config.limit) {
      this.isPage = false;
      return Action.Continue;
    }
    if (!endOfStream) return Action.Pause;
    const page = body.get();
    if (page != null) this.addNotice(body, page);
    return Action.Continue;
  }

  private addNotice(body: Body, page: Bytes): void {
    const end = lastIndexOf(page, "</body>");
    if (end < 0) return;
    const head = page.slice(0, end).toString();
    body.replace(head + this.config.notice + page.slice(end).toString());
  }
}

function lastIndexOf(page: Bytes, tag: string): i32 {
  let found = -1;
  for (let at = page.indexOf(tag); at >= 0; at = page.indexOf(tag, at + 1)) found = at;
  return found;
}
