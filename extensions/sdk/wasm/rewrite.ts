import { u32 } from "./cursor.ts";
import { u32Bytes } from "./encode.ts";
import { SECTION_ORDER, type Section, SectionId, type WasmModule } from "./module.ts";
import { type OffsetMap, offsetMap, type Run } from "./offset-map.ts";

/** Bytes of a rewritten module: new ones, or a range of the old ones. */
export type Piece = readonly number[] | { readonly from: number; readonly to: number };

export interface Rewritten {
  readonly wasm: Uint8Array;
  readonly offsets: OffsetMap;
}

/** The contents of a section, by its number. */
export type Change = readonly [id: number, content: readonly Piece[]];

const HEADER: Piece = { from: 0, to: 8 };

/**
 * The module with other contents in some sections, which are put in where they were not there, and
 * without those that `drops` names.
 */
export function rewrite(
  module: WasmModule,
  changes: readonly Change[],
  drops: (section: Section) => boolean = () => false,
): Rewritten {
  const pieces: Piece[] = [HEADER];
  const waiting = changes.toSorted(([left], [right]) => rankOf(left) - rankOf(right));
  const put = (upTo: number) => {
    for (;;) {
      const [id, content] = waiting[0] ?? [];
      if (id === undefined || content === undefined || rankOf(id) > upTo) return;
      waiting.shift();
      pieces.push([id, ...u32Bytes(lengthOf(content))]);
      // One by one: there can be more than a call takes arguments.
      for (const piece of content) pieces.push(piece);
    }
  };
  for (const section of module.sections) {
    if (section.id !== SectionId.custom) put(rankOf(section.id));
    const isChanged = changes.some(([id]) => id === section.id);
    if (!isChanged && !drops(section)) pieces.push({ from: section.at, to: section.end });
  }
  put(SECTION_ORDER.length);
  return join(module.wasm, pieces);
}

/** A section of entries, with some more behind those that the module has. */
export function withEntries(
  { wasm, sections }: WasmModule,
  id: number,
  added: readonly (readonly number[])[],
): Change {
  const section = sections.find((each) => each.id === id);
  if (section === undefined) return [id, [[...u32Bytes(added.length), ...added.flat()]]];
  const cursor = { wasm, at: section.start, end: section.end };
  const count = u32(cursor) + added.length;
  return [id, [u32Bytes(count), { from: cursor.at, to: cursor.end }, added.flat()]];
}

export function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce(
    (sum, piece) => sum + ("from" in piece ? piece.to - piece.from : piece.length),
    0,
  );
}

function rankOf(id: number): number {
  return SECTION_ORDER.indexOf(id);
}

function join(old: Uint8Array, pieces: readonly Piece[]): Rewritten {
  const wasm = new Uint8Array(lengthOf(pieces));
  const runs: Run[] = [];
  let at = 0;
  for (const piece of pieces) {
    if ("from" in piece) {
      wasm.set(old.subarray(piece.from, piece.to), at);
      runs.push({ at, from: piece.from, length: piece.to - piece.from });
      at += piece.to - piece.from;
    } else {
      wasm.set(piece, at);
      at += piece.length;
    }
  }
  return { wasm, offsets: offsetMap(runs) };
}
