import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

/** What a message may be created from, as an object literal: parts of it can be spread together. */
export type Init<D extends DescMessage> = Exclude<MessageInitShape<D>, MessageShape<D>>;
