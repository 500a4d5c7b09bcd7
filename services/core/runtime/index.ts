// The shell of every process: its log, its clock, its health, and gRPC over node:http2.

export { type Clock, systemClock } from "./clock.ts";
export {
  callUnary,
  dispatch,
  endGrpc,
  frame,
  GRPC_STATUS,
  type GrpcCall,
  GrpcError,
  type GrpcHandler,
  type GrpcRoutes,
  type GrpcStatus,
  openCall,
  openGrpc,
  type Peer,
  readFrames,
  STATUS_OF_KIND,
  unary,
} from "./grpc.ts";
export { type GuardLimits, guardConnections } from "./guard.ts";
export { createLogger, type Logger, silentLogger } from "./log.ts";
export { isLoopback } from "./loopback.ts";
export { createMonitor, type Labels, type Metric, type Monitor, serveMonitor } from "./monitor.ts";
export { type NatsServer, type NatsServerOptions, startNatsServer } from "./nats-server.ts";
export type { RoleContext } from "./role.ts";
