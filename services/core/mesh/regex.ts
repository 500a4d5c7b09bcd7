/** RE2 programs grow with the pattern, and Envoy holds one a route: Istio allows 1024 too. */
const REGEX_LENGTH_MAX = 1024;

/** RE2's limit on a counted repetition, and on the product of those within one another. */
const REPEAT_MAX = 1000;

const ESCAPES_OUTSIDE = "AbBCdDsSwWzaftnrvQE";
const ESCAPES_INSIDE = "aftnrv";

/** Escapes of more than one letter: codes in hex and octal, and classes of Unicode. */
const LONG_ESCAPE =
  /^\\(?:x[0-9a-f]{2}|x\{[0-9a-f]{1,6}\}|p(?:\{\^?\w+\}|[a-z])|0[0-7]{0,2}|[1-7][0-7]{1,2})/i;

/** Why RE2 refuses a pattern, or undefined if its syntax is fine. */
export function regexProblem(pattern: string): string | undefined {
  if (pattern.length > REGEX_LENGTH_MAX) {
    return `has ${pattern.length} characters, at most ${REGEX_LENGTH_MAX}`;
  }
  /** For each open group the most that something in it is repeated. */
  const groups: number[] = [];
  let within = 1;
  let last = 1;
  let repeatable = false;
  let at = 0;
  while (at < pattern.length) {
    const step = stepOf(pattern.slice(at), repeatable);
    if (typeof step === "string") return step;
    if (step.depth > 0) groups.push(within);
    if (step.depth > 0) within = 1;
    const outer = step.depth < 0 ? groups.pop() : within;
    if (outer === undefined) return "closes a group that is not open";
    // What was just read, which is what a repetition that follows is of.
    if (step.times !== undefined) last *= step.times;
    else last = step.depth < 0 ? within : 1;
    if (last > REPEAT_MAX) return `repeats more than ${REPEAT_MAX} times, one count within another`;
    within = Math.max(outer, step.depth > 0 ? 1 : last);
    repeatable = step.repeatable;
    at += step.length;
  }
  return groups.length > 0 ? "leaves a group open" : undefined;
}

interface Step {
  readonly length: number;
  readonly depth: number;
  /** Whether a repetition may follow. */
  readonly repeatable: boolean;
  /** How often this counted repetition repeats what stands before it. */
  readonly times?: number;
}

/** The next piece of the pattern, or why it is none. */
function stepOf(rest: string, repeatable: boolean): Step | string {
  switch (rest[0]) {
    case "\\":
      return escapeOf(rest);
    case "[":
      return classOf(rest);
    case "(":
      return groupOf(rest);
    case ")":
      return { length: 1, depth: -1, repeatable: true };
    case "*":
    case "+":
    case "?":
      return repeatOf(rest[0], rest, repeatable);
    case "{": {
      const counted = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
      // RE2 takes a brace that counts nothing for itself.
      if (counted === null) return { length: 1, depth: 0, repeatable: true };
      const [all, min = "", max] = counted;
      if (Math.max(Number(min), Number(max || min)) > REPEAT_MAX) {
        return `repeats more than ${REPEAT_MAX} times: ${all}`;
      }
      if (max && Number(max) < Number(min)) return `repeats from more to fewer: ${all}`;
      const step = repeatOf(all, rest, repeatable);
      // RE2 counts `{2,}` as two.
      const times = Math.max(Number(max || min), 1);
      return typeof step === "string" ? step : { ...step, times };
    }
    case "|":
      return { length: 1, depth: 0, repeatable: false };
    case "^":
    case "$":
      return { length: 1, depth: 0, repeatable: true };
    default:
      return { length: 1, depth: 0, repeatable: true };
  }
}

function repeatOf(operator: string, rest: string, repeatable: boolean): Step | string {
  if (!repeatable) return `repeats nothing with ${operator}`;
  const length = operator.length + (rest[operator.length] === "?" ? 1 : 0);
  return { length, depth: 0, repeatable: false };
}

function escapeOf(rest: string): Step | string {
  const next = rest[1];
  if (next === undefined) return "ends with a backslash";
  const long = LONG_ESCAPE.exec(rest);
  const unknown = unknownClass(rest);
  if (unknown !== undefined) return unknown;
  if (long !== null) return { length: long[0].length, depth: 0, repeatable: true };
  if (/[1-9]/.test(next)) return `refers back with \\${next}, which RE2 does not know`;
  if (/[A-Za-z_]/.test(next) && !ESCAPES_OUTSIDE.includes(next)) {
    return `has the escape \\${next}, which RE2 does not know`;
  }
  if (next !== "Q") return { length: 2, depth: 0, repeatable: true };
  const end = rest.indexOf("\\E");
  return { length: end < 0 ? rest.length : end + 2, depth: 0, repeatable: true };
}

/** Why a class of Unicode such as `\\pL` or `\\p{Greek}` is none, or undefined. */
function unknownClass(rest: string): string | undefined {
  const [all, braced, letter] = /^\\[pP](?:\{\^?(\w+)\}|(\w))/.exec(rest) ?? [];
  const name = braced ?? letter;
  if (name === undefined || /^(?:Any|[CLMNPSZ][a-z]?)$/.test(name) || isScript(name))
    return undefined;
  return `has the class ${all}, which RE2 does not know`;
}

function isScript(name: string): boolean {
  try {
    return new RegExp(`\\p{Script=${name}}`, "u").source !== "";
  } catch {
    return false; // no such script
  }
}

function groupOf(rest: string): Step | string {
  if (rest[1] !== "?") return { length: 1, depth: 1, repeatable: false };
  const named = /^\(\?P?<[A-Za-z_]\w*>/.exec(rest);
  if (named !== null) return { length: named[0].length, depth: 1, repeatable: false };
  if (/^\(\?<?[=!]/.test(rest)) {
    return `looks around with ${/^\(\?<?[=!]/.exec(rest)?.[0]}, which RE2 does not know`;
  }
  const flags = /^\(\?(?:[imsU]+(?:-[imsU]+)?|-[imsU]+)?([:)])/.exec(rest);
  if (flags === null) return `has the group ${rest.slice(0, 4)}…, which RE2 does not know`;
  const opens = flags[1] === ":";
  return { length: flags[0].length, depth: opens ? 1 : 0, repeatable: false };
}

/** A class such as `[a-z\d]`: a `]` in front is a letter of it. */
function classOf(rest: string): Step | string {
  const first = rest[1] === "^" ? 2 : 1;
  let at = first;
  while (at < rest.length && (rest[at] !== "]" || at === first)) {
    const atom = classAtomOf(rest.slice(at));
    if (typeof atom === "string") return atom;
    at += atom.length;
    if (rest[at] !== "-" || rest[at + 1] === "]" || at + 1 >= rest.length) continue;
    const end = classAtomOf(rest.slice(at + 1));
    if (typeof end === "string") return end;
    if (atom.letter === undefined || end.letter === undefined || end.letter < atom.letter) {
      return `has the range ${rest.slice(at - atom.length, at + 1 + end.length)}, which is none`;
    }
    at += 1 + end.length;
  }
  return at < rest.length ? { length: at + 1, depth: 0, repeatable: true } : "leaves a class open";
}

/** One member of a class: a letter, or a class by name, which has no letter. */
function classAtomOf(rest: string): { length: number; letter?: string } | string {
  const unknown = unknownClass(rest);
  if (unknown !== undefined) return unknown;
  const named = /^(?:\[:\^?\w+:\]|\\[pP](?:\{\^?\w+\}|[A-Z])|\\[dDsSwW])/.exec(rest);
  if (named !== null) return { length: named[0].length };
  const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  if (letter !== "\\") return { length: letter.length, letter };
  const coded = /^\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,5})\})/.exec(rest);
  if (coded !== null) {
    const code = Number.parseInt(coded[1] ?? coded[2] ?? "", 16);
    return { length: coded[0].length, letter: String.fromCodePoint(code) };
  }
  const octal = /^\\[0-7]{1,3}/.exec(rest);
  if (octal !== null) {
    const code = Number.parseInt(octal[0].slice(1), 8);
    return { length: octal[0].length, letter: String.fromCodePoint(code) };
  }
  const next = rest[1] ?? "";
  if (/[A-Za-z89_]/.test(next) && !ESCAPES_INSIDE.includes(next)) {
    return `has the escape \\${next} in a class, which RE2 does not know`;
  }
  return { length: 2, letter: CONTROLS[next] ?? next };
}

const CONTROLS: Readonly<Record<string, string>> = {
  a: "\x07",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
