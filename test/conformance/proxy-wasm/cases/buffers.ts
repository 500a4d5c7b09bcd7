import { answers, does, NEVER_MS, onRequest, type Table } from "../case.ts";
import { bytes, call, say, word } from "../probe.ts";

const BODY = { request: { body: "abcd" } };
const read = (kind: number, start = 0, max = 99) =>
  call("proxy_get_buffer_bytes", kind, start, max, bytes());

/** Ranges a probe reads of four bytes, and whether the specification refuses them. */
const READS = [
  [0, 0],
  [0, 2],
  [1, 2],
  [3, 9],
  [4, 1],
  [5, 1],
  [1, -1],
] as const;

const WRITES = [
  ["prepend", 0, 0, "xy"],
  ["replace", 0, 4, "xy"],
  ["replace-more", 0, 99, "xy"],
  ["append", 4, 0, "xy"],
  ["append-far", 9, 0, "xy"],
  ["clear", 0, 4, ""],
  ["inside", 1, 2, "xy"],
  ["head", 0, 2, "xy"],
  ["insert", 2, 0, "xy"],
] as const;

const INSIDE: Readonly<Record<string, string>> = {
  inside: "axyd",
  head: "xycd",
  insert: "abxycd",
};

/** Bodies: reading, writing, and buffers that are not there. */
export const buffers: Table = [
  {
    id: "buffers.sizes",
    title: "sizes and ends a request's body is told with",
    probe: { on: { proxy_on_request_body: does(say("body", 1, 2)) } },
    ...BODY,
  },
  {
    id: "buffers.sizes-paused",
    title: "sizes while a body is held back",
    patienceMs: NEVER_MS,
    probe: { on: { proxy_on_request_body: answers(1, say("body", 1, 2), read(0)) } },
    ...BODY,
  },
  ...READS.map(([start, max]) => ({
    id: `buffers.read-${start}-${max}`,
    title: `${max} bytes from ${start} of a body of 4`,
    probe: {
      on: {
        proxy_on_request_headers: answers(0),
        proxy_on_request_body: does(read(0, start, max)),
      },
    },
    ...BODY,
    ...(start === 5 && {
      spec: ["get_buffer_bytes 2 []", "get_buffer_bytes 2 []", "client 200 upstreamabcd"],
    }),
    ...(start > 0 &&
      start < 5 &&
      max > 0 && {
        spec: [
          `get_buffer_bytes 0 [${"abcd".slice(start, start + max)}]`,
          "get_buffer_bytes 2 []",
          "client 200 upstreamabcd",
        ],
      }),
  })),
  ...WRITES.map(([name, start, length, value]) => ({
    id: `buffers.write-${name}`,
    title: `${name}: ${length} bytes from ${start} become "${value}"`,
    probe: {
      on: {
        proxy_on_response_body: does(call("proxy_set_buffer_bytes", 1, start, length, value)),
      },
    },
    ...(INSIDE[name] !== undefined && {
      spec: ["set_buffer_bytes 0", "set_buffer_bytes 0"],
    }),
  })),
  {
    id: "buffers.status",
    title: "a body's size and flags",
    probe: {
      on: { proxy_on_request_body: does(call("proxy_get_buffer_status", 0, word(), word())) },
    },
    ...BODY,
  },
  ...[0, 1, 2, 3, 4, 5, 8, 9, 99].map((kind) => ({
    id: `buffers.absent-${kind}`,
    title: `buffer ${kind} on request headers`,
    probe: onRequest(read(kind)),
    ...([0, 1, 2, 3, 5, 8].includes(kind) && {
      spec: ["get_buffer_bytes 1 []", "client 200 upstream"],
    }),
  })),
  {
    id: "buffers.write-absent",
    title: "writing a buffer that is not there",
    probe: onRequest(call("proxy_set_buffer_bytes", 0, 0, 0, "x")),
    spec: ["set_buffer_bytes 1", "client 200 upstream"],
  },
];
