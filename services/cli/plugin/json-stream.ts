/** Cuts a stream of JSON objects that follow each other into the objects. */
export interface JsonStream {
  /** Takes the next piece of the text, and answers the objects that are whole now. */
  take(text: string): unknown[];
}

/** @throws SyntaxError for what is no JSON; Error for an object of more characters than `charsMax` */
export function createJsonStream(charsMax: number): JsonStream {
  let held = "";
  /** Up to where `held` was looked at, how many braces are open there, and whether in a string. */
  let [at, depth, inString] = [0, 0, false];
  return {
    take(text) {
      held += text;
      const objects: unknown[] = [];
      for (; at < held.length; at++) {
        const sign = held[at];
        if (inString) {
          if (sign === "\\") at += 1;
          else if (sign === '"') inString = false;
        } else if (sign === '"') inString = true;
        else if (sign === "{") depth += 1;
        else if (sign === "}") {
          depth -= 1;
          if (depth > 0) continue;
          objects.push(JSON.parse(held.slice(0, at + 1)));
          held = held.slice(at + 1);
          at = -1;
        }
      }
      if (held.length > charsMax) throw new Error(`an object has more than ${charsMax} characters`);
      return objects;
    },
  };
}
