// What a plugin imports. Its index.ts re-exports the entry points it needs from ./entry besides.

export { Action, LogLevel } from "./abi/codes";
export { Bytes } from "./bytes";
export { register } from "./contexts";
export { Counter, counter } from "./counter";
export { Headers } from "./headers";
export { HttpFilter } from "./http-filter";
export { JsonReader } from "./json-reader";
export { log, logDebug, logError, logInfo, logs, logWarn } from "./log";
export { Plugin } from "./plugin";
