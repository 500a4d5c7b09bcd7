import { enter } from "../callback";
import { leaveAndCollect } from "../contexts";
import {
  receiveClose, receiveInitialMetadata, receiveMessage, receiveTrailingMetadata,
} from "../grpc-call";
import { answerHttpCall } from "../http-call";

// Answers to calls of the plugin's own. The host tells them to the root.

/** An HTTP call is answered, or has failed: then there are no headers. */
export function proxy_on_http_call_response(
  root: u32, call: u32, headers: u32, _bodySize: u32, _trailers: u32,
): void {
  enter();
  answerHttpCall(root, call, headers);
  leaveAndCollect();
}

/** A gRPC call or stream is answered: its metadata first. */
export function proxy_on_grpc_receive_initial_metadata(root: u32, call: u32, _count: u32): void {
  enter();
  receiveInitialMetadata(root, call);
  leaveAndCollect();
}

/** A message of a gRPC call or stream. */
export function proxy_on_grpc_receive(root: u32, call: u32, size: u32): void {
  enter();
  receiveMessage(root, call, size);
  leaveAndCollect();
}

/** The metadata after the last message. */
export function proxy_on_grpc_receive_trailing_metadata(root: u32, call: u32, _count: u32): void {
  enter();
  receiveTrailingMetadata(root, call);
  leaveAndCollect();
}

/** A gRPC stream is closed, or a call has failed. */
export function proxy_on_grpc_close(root: u32, call: u32, status: i32): void {
  enter();
  receiveClose(root, call, status);
  leaveAndCollect();
}
