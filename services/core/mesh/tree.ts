import type { Document, Node, Pair, ParsedNode } from "yaml";
import {
  Composer,
  type CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
} from "yaml";
import type { Place } from "./finding.ts";

/** A value of a YAML text and where it stands: aliases and merge keys are resolved. */
export type Tree = TreeMap | TreeList | TreeScalar;

export interface TreeMap {
  readonly type: "map";
  readonly at: Place;
  readonly entries: readonly TreeEntry[];
}

export interface TreeEntry {
  readonly key: string;
  readonly keyAt: Place;
  readonly value: Tree;
}

export interface TreeList {
  readonly type: "list";
  readonly at: Place;
  readonly items: readonly Tree[];
}

export interface TreeScalar {
  readonly type: "scalar";
  readonly at: Place;
  readonly value: string | number | boolean | null;
  /** As it was written, without quotes. */
  readonly source: string;
}

/** Something in a text that is no YAML, or more of it than we read. */
export interface TreeProblem {
  readonly code: "manifest.syntax" | "manifest.too_large";
  readonly message: string;
  readonly at: Place;
}

/** One file. A commit has to fit into a NATS message, which is 1 MiB by default. */
const TEXT_LENGTH_MAX = 1 << 20;

/**
 * Words, signs, spaces and line ends in all texts of one request: parsing takes about 4 µs for each,
 * and nothing else is served meanwhile. 1 MB of real manifests has about 250 000.
 */
const LEXEMES_MAX = 250_000;

/** Levels of maps and lists: Istio's deepest field is at 12, a plugin may be configured deeper. */
const DEPTH_MAX = 64;

/** Values in one file after aliases are replaced: 1 MiB of real manifests has about 60 000. */
const NODES_MAX = 200_000;

/** Documents in one file: at 200 bytes each, a file is full. */
const DOCUMENTS_MAX = 5_000;

/** Aliases in one document: people use a handful, attacks use thousands. */
const ALIASES_MAX = 100;

/** Syntax errors told of one document: the first ones cause the others. */
const SYNTAX_ERRORS_MAX = 5;

/** Pieces that fit nowhere, in one file: beyond it, the file is something else. */
const ERROR_TOKENS_MAX = 100;

/** Ends the reading of a text; never leaves this file. */
class Refusal extends Error {
  readonly problem: TreeProblem;

  constructor(problem: TreeProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** What is left to be read of one request, over all of its texts. */
export interface ReadBudget {
  lexemes: number;
}

export function createReadBudget(): ReadBudget {
  return { lexemes: LEXEMES_MAX };
}

/**
 * The documents of a YAML or JSON text, and what is wrong with it. A document with a problem is
 * left out; empty documents too.
 */
export function readTrees(
  text: string,
  budget: ReadBudget = createReadBudget(),
): { trees: Tree[]; problems: TreeProblem[] } {
  const start = { line: 1, column: 1 };
  if (text.length > TEXT_LENGTH_MAX) {
    const message = `the file has ${text.length} characters, at most ${TEXT_LENGTH_MAX} are read`;
    return { trees: [], problems: [{ code: "manifest.too_large", message, at: start }] };
  }
  const trees: Tree[] = [];
  const problems: TreeProblem[] = [];
  const lines = new LineCounter();
  const reader = { lines, nodes: 0 };
  try {
    for (const document of compose(text, lines, budget)) {
      const errors = syntaxErrors(document, lines);
      problems.push(...errors);
      if (errors.length > 0 || document.contents === null) continue;
      const tree = readDocument(document, reader);
      if (tree.type !== "scalar" || tree.value !== null) trees.push(tree);
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problems.push(error.problem);
  }
  return { trees, problems };
}

/** Tokens are checked before they are composed: composing recurses. */
function* compose(
  text: string,
  lines: LineCounter,
  budget: ReadBudget,
): Generator<Document.Parsed> {
  const tokens: CST.Token[] = [];
  let documents = 0;
  let errors = 0;
  for (const token of parse(text, lines, budget)) {
    if (token.type === "error") {
      errors++;
      const at = placeAt(lines, token.offset);
      if (errors > ERROR_TOKENS_MAX) refuse("the file is no YAML", at, "manifest.syntax");
    }
    if (token.type === "document") {
      documents++;
      if (documents > DOCUMENTS_MAX) {
        refuse(`the file has more than ${DOCUMENTS_MAX} documents`, placeAt(lines, token.offset));
      }
      checkDepth(token, lines);
    }
    tokens.push(token);
  }
  // Keys are compared in readMap: the library's comparison is quadratic.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, version: "1.2" });
  for (const document of composer.compose(tokens, false, text.length)) {
    yield document as Document.Parsed;
  }
}

/** As `Parser.parse`, but counts what the lexer finds: most of the time is spent after it. */
function* parse(text: string, lines: LineCounter, budget: ReadBudget): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (!isRemark(lexeme)) {
      if (budget.lexemes-- <= 0) {
        const message = `a request may have ${LEXEMES_MAX} words and signs, and this is one more`;
        refuse(message, placeAt(lines, offset));
      }
      offset += lexeme.length;
    }
    yield* parser.next(lexeme);
  }
  yield* parser.end();
}

/** What the lexer says of a text and is not in it: a document begins, a scalar follows, a flow ends. */
function isRemark(lexeme: string): boolean {
  return lexeme === "\u0002" || lexeme === "\u001f" || lexeme === "\u0018";
}

function checkDepth(document: CST.Token, lines: LineCounter): void {
  const open: { token: CST.Token; depth: number }[] = [{ token: document, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > DEPTH_MAX) tooDeep(placeAt(lines, token.offset));
    if (token.type === "document" && token.value) open.push({ token: token.value, depth });
    if (!("items" in token)) continue;
    for (const { key, value } of token.items) {
      if (key) open.push({ token: key, depth: depth + 1 });
      if (value) open.push({ token: value, depth: depth + 1 });
    }
  }
}

function syntaxErrors(document: Document.Parsed, lines: LineCounter): TreeProblem[] {
  const tags = document.warnings.filter((warning) => warning.code === "TAG_RESOLVE_FAILED");
  return [...document.errors, ...tags].slice(0, SYNTAX_ERRORS_MAX).map((error) => ({
    code: "manifest.syntax",
    message: lowerFirst(error.message),
    at: placeAt(lines, error.pos[0]),
  }));
}

interface Reader {
  readonly lines: LineCounter;
  nodes: number;
}

interface DocumentReader {
  readonly reader: Reader;
  readonly anchors: Map<string, Node>;
  aliases: number;
  depth: number;
  /** Within an alias nothing is anchored anew. */
  expanding: number;
}

function readDocument(document: Document.Parsed, reader: Reader): Tree {
  const state: DocumentReader = { reader, anchors: new Map(), aliases: 0, depth: 0, expanding: 0 };
  return readNode(document.contents, { line: 1, column: 1 }, state);
}

function readNode(node: ParsedNode | Node | null, fallback: Place, state: DocumentReader): Tree {
  const { lines } = state.reader;
  const at = node?.range ? placeAt(lines, node.range[0]) : fallback;
  state.reader.nodes++;
  if (state.reader.nodes > NODES_MAX) refuse(`the file has more than ${NODES_MAX} values`, at);
  if (state.depth > DEPTH_MAX) tooDeep(at);
  if (node === null) return { type: "scalar", at, value: null, source: "" };
  if (isAlias(node)) return readAlias(node.source, at, state);
  if (node.anchor !== undefined && state.expanding === 0) state.anchors.set(node.anchor, node);
  state.depth++;
  try {
    if (isMap(node)) return { type: "map", at, entries: readMap(node.items as Pair[], at, state) };
    if (isSeq(node)) {
      const items = node.items.map((item) => readNode(item as Node | null, at, state));
      return { type: "list", at, items };
    }
    if (isScalar(node)) return { type: "scalar", at, ...scalarOf(node.value, node.source) };
  } finally {
    state.depth--;
  }
  return refuse("a value that YAML's core schema does not have", at, "manifest.syntax");
}

function scalarOf(value: unknown, source: string | undefined): Omit<TreeScalar, "type" | "at"> {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return { value, source: source ?? String(value) };
    default:
      return value === null
        ? { value: null, source: "" }
        : { value: String(value), source: String(value) };
  }
}

function readAlias(name: string, at: Place, state: DocumentReader): Tree {
  state.aliases++;
  if (state.aliases > ALIASES_MAX) refuse(`the document has more than ${ALIASES_MAX} aliases`, at);
  const target = state.anchors.get(name);
  if (target === undefined) return refuse(`alias ${name} has no anchor`, at, "manifest.syntax");
  state.expanding++;
  state.depth++;
  const tree = readNode(target, at, state);
  state.depth--;
  state.expanding--;
  return tree;
}

function readMap(pairs: readonly Pair[], mapAt: Place, state: DocumentReader): TreeEntry[] {
  const entries = new Map<string, TreeEntry>();
  const merged: TreeEntry[] = [];
  for (const pair of pairs) {
    const key = readNode(pair.key as Node | null, mapAt, state);
    if (key.type !== "scalar") return refuse("a key is not a word", key.at, "manifest.syntax");
    const value = readNode(pair.value as Node | null, key.at, state);
    if (key.value === "<<" && value.type !== "scalar") {
      merged.push(...mergedEntries(value));
      continue;
    }
    const name = key.source;
    if (entries.has(name)) {
      return refuse(`key ${name} is there twice`, key.at, "manifest.syntax");
    }
    entries.set(name, { key: name, keyAt: key.at, value });
  }
  // Own keys win over merged ones, and earlier merged ones over later (yaml.org/type/merge).
  for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
  return [...entries.values()];
}

function mergedEntries(value: TreeMap | TreeList): readonly TreeEntry[] {
  const maps = value.type === "map" ? [value] : value.items;
  return maps.flatMap((map) => {
    if (map.type === "map") return map.entries;
    return refuse("<< takes a map or a list of maps", map.at, "manifest.syntax");
  });
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function tooDeep(at: Place): never {
  return refuse(`values are nested more than ${DEPTH_MAX} deep`, at);
}

function refuse(
  message: string,
  at: Place,
  code: TreeProblem["code"] = "manifest.too_large",
): never {
  throw new Refusal({ code, message, at });
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
