import { Replacer } from "./replacer";

/** What is looked for. */
export enum Kind { Email, Card, Iban, Ssn, Phone, Ipv4, Ipv6, Literal, Field }

export const KIND_COUNT: i32 = 9;

/** As counters name a kind. */
export function nameOf(kind: Kind): string {
  switch (kind) {
    case Kind.Email: return "email";
    case Kind.Card: return "card";
    case Kind.Iban: return "iban";
    case Kind.Ssn: return "ssn";
    case Kind.Phone: return "phone";
    case Kind.Ipv4: return "ipv4";
    case Kind.Ipv6: return "ipv6";
    case Kind.Literal: return "literal";
    default: return "field";
  }
}

/** Which kinds are looked for, each with what replaces its findings. */
@final
export class Kinds {
  private readonly replacers: StaticArray<Replacer | null> =
    new StaticArray<Replacer | null>(KIND_COUNT);
  /** A bit for each kind that is looked for. */
  private wanted: u32 = 0;

  set(kind: Kind, replacer: Replacer): void {
    this.replacers[kind] = replacer;
    this.wanted |= 1 << <u32>kind;
  }

  get(kind: Kind): Replacer | null {
    return this.replacers[kind];
  }

  @inline
  has(kind: Kind): bool {
    return (this.wanted >> <u32>kind & 1) != 0;
  }

  /** Whether any kind is told by what bytes look like. */
  get searches(): bool {
    return (this.wanted & ((1 << <u32>Kind.Literal) - 1)) != 0;
  }

  /** Whether no replacement changes how long a body is. */
  get keepLength(): bool {
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      const replacer = this.replacers[kind];
      if (replacer != null && !replacer.keepsLength) return false;
    }
    return true;
  }
}
