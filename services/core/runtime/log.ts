import { pino } from "pino";

/** Structured lines on stderr: stdout belongs to the data that was asked for. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

/** JSON lines to stderr at `LOG_LEVEL`, or `info`. */
export function createLogger(name: string): Logger {
  return pino(
    { name, level: process.env["LOG_LEVEL"] ?? "info", base: { name } },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** For tests and for one-shot commands: says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
