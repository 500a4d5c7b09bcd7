// What a plugin imports.

export {
  Action, Buffer, GrpcStatus, HeaderMap, LogLevel, Peer, Status, StreamType,
} from "./abi/codes";
export { Body, downstreamData, requestBody, responseBody, upstreamData } from "./body";
export { Bytes } from "./bytes";
export { monotonicNs, random64, unixNs } from "./clock";
export { register, rootId } from "./contexts";
export { config, filter, max, min, schema } from "./decorators";
export {
  callForeign, clearRouteCache, compress, declareProperty, Expression, LifeSpan, PropertyType,
  setFilterState, uncompress, verifySignature,
} from "./foreign";
export { GrpcCallback, GrpcMethod, grpcStatusMessage, GrpcStream } from "./grpc-call";
export { HeaderList } from "./header-list";
export {
  Headers, requestHeaders, requestTrailers, responseHeaders, responseTrailers,
} from "./headers";
export { HttpCall, HttpCallback, HttpResponse } from "./http-call";
export { HttpFilter } from "./http-filter";
export { JsonReader } from "./json-reader";
export { counterWith, gaugeWith, histogramWith, Labelled } from "./labels";
export { log, logDebug, logError, logInfo, logs, logWarn } from "./log";
export { Counter, counter, Gauge, gauge, Histogram, histogram } from "./metric";
export { Pairs } from "./pairs";
export { Background, NoConfig, Plugin } from "./plugin";
export { properties } from "./properties";
export { getBool, getInteger, getProperty, setProperty } from "./property";
export { ProtoWriter } from "./proto-writer";
export { findQueue, Queue, registerQueue } from "./queue";
export { getShared, setShared, SharedInteger, SharedUpdate, SharedValue, updateShared } from
  "./shared-data";
export { Stream } from "./stream";
export { TcpFilter } from "./tcp-filter";
