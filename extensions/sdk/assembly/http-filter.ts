import { Action, GrpcStatus, Status, StreamType } from "./abi/codes";
import * as host from "./abi/host";
import { Body } from "./body";
import { Bytes } from "./bytes";
import { HeaderList } from "./header-list";
import { Headers } from "./headers";
import { NoConfig } from "./plugin";
import { Stream } from "./stream";
import { textLength, textStart } from "./text";

/** The callbacks of an HTTP stream; see `HttpFilter`. */
export abstract class HttpStream extends Stream {
  onRequestHeaders(_headers: Headers, _endOfStream: bool): Action {
    return Action.Continue;
  }

  /** A piece of the request's body; after a pause, all that has come since. */
  onRequestBody(_body: Body, _size: u32, _endOfStream: bool): Action {
    return Action.Continue;
  }

  onRequestTrailers(_trailers: Headers): Action {
    return Action.Continue;
  }

  onResponseHeaders(_headers: Headers, _endOfStream: bool): Action {
    return Action.Continue;
  }

  /** A piece of the response's body; after a pause, all that has come since. */
  onResponseBody(_body: Body, _size: u32, _endOfStream: bool): Action {
    return Action.Continue;
  }

  onResponseTrailers(_trailers: Headers): Action {
    return Action.Continue;
  }

  /** Lets a paused request go on. */
  continueRequest(): bool {
    return host.proxy_continue_stream(StreamType.Request) == Status.Ok;
  }

  /** Lets a paused response go on. */
  continueResponse(): bool {
    return host.proxy_continue_stream(StreamType.Response) == Status.Ok;
  }

  /** Resets the stream towards whoever sent the request. */
  reset(): bool {
    return host.proxy_close_stream(StreamType.Request) == Status.Ok;
  }

  /**
   * Answers in place of the upstream, and answers the action to return with. `details` shows in
   * access logs as the response code details.
   */
  respond<B>(
    status: u32, body: B, headers: HeaderList | null = null,
    grpcStatus: GrpcStatus = GrpcStatus.None, details: string = "plugin",
  ): Action {
    const text = textStart<B>(body);
    const length = textLength();
    const why = textStart<string>(details);
    const whyLength = textLength();
    const pairs = headers == null ? Bytes.view(0, 0) : headers.serialize();
    host.proxy_send_local_response(
      status, why, whyLength, text, length, pairs.start, pairs.length, grpcStatus,
    );
    return Action.Pause;
  }
}

/**
 * What a plugin does to one HTTP stream. One object per stream, made when the stream begins and
 * dropped when it ends: fields may keep what a later callback of the stream needs. `config` is
 * what the plugin was configured with.
 *
 * The host calls only what a filter overrides.
 */
export abstract class HttpFilter<C = NoConfig> extends HttpStream {
  config!: C;
}
