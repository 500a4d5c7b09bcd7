import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** Wire type of each field that a FileDescriptorProto may have (descriptor.proto). */
const WIRE_TYPES: Readonly<Record<number, number>> = {
  1: 2,
  2: 2,
  3: 2,
  4: 2,
  5: 2,
  6: 2,
  7: 2,
  8: 2,
  9: 2,
  10: 0,
  11: 0,
  12: 2,
  14: 0,
  15: 2,
};

/** `syntax`, which is written last. */
const LAST_FIELD = 12;

/** The longest file name looked for, in bytes. */
const FILE_NAME_MAX = 255;

/**
 * Reads every FileDescriptorProto that a program carries in its data, with what each imports before
 * it. Envoy's build links the descriptors of its whole API, so the API that we generate is that of
 * the very program that will read our messages.
 */
export function readDescriptors(program: Uint8Array): FileDescriptorSet {
  const bytes = Buffer.from(program.buffer, program.byteOffset, program.byteLength);
  const files = new Map<string, FileDescriptorProto>();
  for (let at = bytes.indexOf(".proto\x12"); at >= 0; at = bytes.indexOf(".proto\x12", at + 1)) {
    const file = fileEndingItsNameAt(bytes, at + ".proto".length);
    if (file === undefined) continue;
    const known = files.get(file.name);
    if (known === undefined || sizeOf(known) < sizeOf(file)) files.set(file.name, file);
  }
  for (const file of files.values()) nameJson(file);
  return inImportOrder(files);
}

/** A file begins with field 1, its name: 0x0a, a length, the name; then comes its package. */
function fileEndingItsNameAt(bytes: Buffer, nameEnd: number): FileDescriptorProto | undefined {
  for (let length = ".proto".length + 1; length <= FILE_NAME_MAX; length++) {
    const start = nameEnd - length - (length < 128 ? 2 : 3);
    if (start < 0) return undefined;
    if (bytes[start] !== 0x0a || varint(bytes, start + 1)?.value !== length) continue;
    const name = bytes.toString("latin1", nameEnd - length, nameEnd);
    if (!/^[\w./-]+$/.test(name)) continue;
    for (const end of fieldEnds(bytes, start).reverse()) {
      try {
        const file = fromBinary(FileDescriptorProtoSchema, bytes.subarray(start, end));
        if (file.name === name) return file;
      } catch {
        // What follows the file looked like a field of it: a shorter prefix may be the file.
      }
    }
    return undefined;
  }
  return undefined;
}

function varint(bytes: Buffer, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = start, shift = 0; shift < 35; at++, shift += 7) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, end: at + 1 };
  }
  return undefined;
}

/** Where each of the fields that follow one another from `start` ends. */
function fieldEnds(bytes: Buffer, start: number): number[] {
  const ends: number[] = [];
  for (let at = start; at < bytes.length; ) {
    const tag = varint(bytes, at);
    if (tag === undefined) break;
    const field = tag.value >>> 3;
    const wireType = tag.value & 7;
    if (WIRE_TYPES[field] !== wireType || (field === 1 && at !== start)) break;
    const value = varint(bytes, tag.end);
    if (value === undefined) break;
    at = wireType === 2 ? value.end + value.value : value.end;
    if (at > bytes.length) break;
    ends.push(at);
    if (field === LAST_FIELD) break;
  }
  return ends;
}

function sizeOf(file: FileDescriptorProto): number {
  return toBinary(FileDescriptorProtoSchema, file).length;
}

/** Programs leave json_name out; ProtoJSON needs it. The rule is protoc's. */
function nameJson(file: FileDescriptorProto): void {
  const name = (fields: readonly FieldDescriptorProto[]): void => {
    for (const field of fields) {
      field.jsonName ||= field.name.replace(/_+([a-z0-9]?)/gi, (_, letter: string) =>
        letter.toUpperCase(),
      );
    }
  };
  const visit = (message: DescriptorProto): void => {
    name(message.field);
    name(message.extension);
    message.nestedType.forEach(visit);
  };
  name(file.extension);
  file.messageType.forEach(visit);
}

function inImportOrder(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorSet {
  const set = create(FileDescriptorSetSchema);
  const done = new Set<string>();
  const add = (name: string): void => {
    if (done.has(name)) return;
    done.add(name);
    const file = files.get(name);
    if (file === undefined) throw new Error(`${name} is imported, but the program lacks it`);
    file.dependency.forEach(add);
    set.file.push(file);
  };
  for (const name of [...files.keys()].sort()) add(name);
  return set;
}
