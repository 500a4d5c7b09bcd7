// @ts-nocheck: asc checks what only AssemblyScript has, as decorators of functions.

import { LogLevel, Status } from "./abi/codes";
import * as host from "./abi/host";
import { firstOut, firstWord } from "./abi/result";
import { textLength, textStart } from "./text";

/** The host's level. Info until it is read: no hostcall but proxy_log is legal before that. */
let level: u32 = LogLevel.Info;

/** Asks the host for its level; done when a plugin starts and when it is configured. */
export function readLogLevel(): void {
  if (host.proxy_get_log_level(firstOut()) == Status.Ok) level = firstWord();
}

/** Whether a message would be seen. Ask before building a message that costs something. */
@inline
export function logs(wanted: LogLevel): bool {
  return <u32>wanted >= level;
}

export function logDebug<T>(message: T): void {
  log<T>(LogLevel.Debug, message);
}

export function logInfo<T>(message: T): void {
  log<T>(LogLevel.Info, message);
}

export function logWarn<T>(message: T): void {
  log<T>(LogLevel.Warn, message);
}

export function logError<T>(message: T): void {
  log<T>(LogLevel.Error, message);
}

export function log<T>(wanted: LogLevel, message: T): void {
  if (!logs(wanted)) return;
  const text = textStart<T>(message);
  host.proxy_log(wanted, text, textLength());
}
