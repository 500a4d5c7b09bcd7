// The numbers of the ABI (0.2.1, "Enums") that the SDK speaks. AssemblyScript inlines an enum,
// so a name costs nothing here.

/** How loud a message is; the host drops what lies under its own level. */
export enum LogLevel { Trace, Debug, Info, Warn, Error, Critical }

/** What a headers callback asks of the host. Envoy buffers a paused stream up to its watermark. */
export enum Action { Continue, Pause }

/** The answer of a hostcall, as far as a plugin can act on it. */
export enum Status { Ok = 0, NotFound = 1, BadArgument = 2 }

/** The header maps of an HTTP stream. */
export enum HeaderMap { Request = 0, Response = 2 }

/** The buffers the SDK reads. */
export enum Buffer { PluginConfiguration = 7 }

/** The kinds of metric. */
export enum Metric { Counter = 0 }
