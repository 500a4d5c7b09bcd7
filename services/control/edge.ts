import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { type ErrorKind, WeftError } from "@weft/core/error";
import type { Logger } from "@weft/core/runtime";
import { ErrorDetailSchema } from "@weft/proto/weft/control/v1/control_pb.ts";

/** The only place where kinds of errors become Connect's codes, and so HTTP's statuses. */
const CODE_OF_KIND: Readonly<Record<ErrorKind, Code>> = {
  invalid: Code.InvalidArgument,
  missing: Code.NotFound,
  conflict: Code.Aborted,
  denied: Code.PermissionDenied,
  unavailable: Code.Unavailable,
};

/** Codes with which Connect itself refuses a request before anybody of ours has seen it. */
const OF_CONNECT: ReadonlySet<Code> = new Set([
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.InvalidArgument,
  Code.ResourceExhausted,
  Code.Unimplemented,
]);

/** Answers every failure in one form and logs it once. */
export function createEdge(log: Logger): Interceptor {
  return (next) => async (request) => {
    const { name } = request.method;
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: guarded(response, (error) => answer(log, name, error)) };
    } catch (error) {
      throw answer(log, name, error);
    }
  };
}

/** Messages of a stream, whose errors go through the same door. */
async function* guarded(
  response: StreamResponse,
  toAnswer: (error: unknown) => ConnectError,
): AsyncGenerator<StreamResponse["message"] extends AsyncIterable<infer M> ? M : never> {
  try {
    yield* response.message;
  } catch (error) {
    throw toAnswer(error);
  }
}

/** Logs a failure, and makes of it what the caller may know. */
export function answer(log: Logger, method: string, error: unknown): ConnectError {
  const refused = toConnectError(error);
  const fields = { method, code: Code[refused.code], err: refused.message };
  switch (refused.code) {
    case Code.Internal:
      log.error({ ...fields, err: error }, "request failed");
      break;
    case Code.Unavailable:
      log.warn(fields, "request not served");
      break;
    case Code.Canceled:
      log.debug(fields, "request given up by its caller");
      break;
    default:
      log.info(fields, "request refused");
  }
  return refused;
}

/** What the caller may know of an error: of one that nobody foresaw, nothing but that it was. */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof WeftError) {
    const { code, number, help, findings, kind, message } = error;
    const value = { code, number, help, findings: [...findings] };
    return withDetail(message, CODE_OF_KIND[kind], value);
  }
  if (error instanceof ConnectError && OF_CONNECT.has(error.code)) return error;
  const unforeseen = new WeftError("unavailable", "control.internal", "internal error");
  const { code, number, help, message } = unforeseen;
  return withDetail(message, Code.Internal, { code, number, help });
}

function withDetail(
  message: string,
  code: Code,
  value: MessageInitShape<typeof ErrorDetailSchema>,
): ConnectError {
  return new ConnectError(message, code, undefined, [{ desc: ErrorDetailSchema, value }]);
}
