// What a plugin imports.

export {
  Action, Buffer, GrpcStatus, HeaderMap, LogLevel, Peer, Status, StreamType,
} from "./abi/codes";
export { Body, downstreamData, requestBody, responseBody, upstreamData } from "./body";
export { ByteWriter } from "./byte-writer";
export { Bytes } from "./bytes";
export { monotonicNs, random64, unixNs } from "./clock";
export { rootId } from "./contexts";
export { cookieIn, Cookies } from "./cookies";
export { config, filter, max, min, schema } from "./decorators";
export {
  fromBase64, fromBase64Url, fromHex, toBase64, toBase64Url, toHex,
} from "./encoding";
export {
  callForeign, clearRouteCache, compress, declareProperty, Expression, LifeSpan, PropertyType,
  setFilterState, uncompress, verifySignature,
} from "./foreign";
export { GrpcCallback, GrpcMethod, grpcStatusMessage, GrpcStream } from "./grpc-call";
export { hash32 } from "./hash";
export { isHeaderName, isHeaderValue, isProxyHeader } from "./header-syntax";
export { HeaderList } from "./header-list";
export {
  Headers, requestHeaders, requestTrailers, responseHeaders, responseTrailers,
} from "./headers";
export { HttpCall, HttpCallback, HttpResponse } from "./http-call";
export { HttpFilter } from "./http-filter";
export { Cidr, IpAddress } from "./ip";
export { JsonReader } from "./json-reader";
export { counterWith, gaugeWith, histogramWith, Labelled } from "./labels";
export { log, logDebug, logError, logInfo, logs, logWarn } from "./log";
export {
  clusterMetadata, dynamicMetadata, Metadata, routeMetadata, upstreamHostMetadata,
} from "./metadata";
export { Counter, counter, Gauge, gauge, Histogram, histogram } from "./metric";
export { Pairs } from "./pairs";
export { isPathPattern, isPlainPath, matchesPath } from "./path";
export { pbkdf2Sha256 } from "./pbkdf2";
export { Background, NoConfig, Plugin } from "./plugin";
export { properties } from "./properties";
export { getBool, getInteger, getProperty, hasProperty, setProperty } from "./property";
export { ProtoReader } from "./proto-reader";
export { ProtoWriter } from "./proto-writer";
export { Query, queryParameter, withoutQuery } from "./query";
export { findQueue, Queue, registerQueue } from "./queue";
export { getShared, setShared, SharedInteger, SharedUpdate, SharedValue, updateShared } from
  "./shared-data";
export { NamedMatches, RequestMatch } from "./request-match";
export { room } from "./room";
export { hmacSha256, sha256 } from "./sha256";
export { Split } from "./split";
export { Stream } from "./stream";
export { TcpFilter } from "./tcp-filter";
export { TextMatch } from "./text-match";
