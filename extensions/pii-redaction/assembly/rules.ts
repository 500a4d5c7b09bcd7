import { Bytes } from "@weft/sdk/assembly";
import { classesFor } from "./byte-class";
import { FieldNames } from "./json-lexer";
import { Kind, Kinds } from "./kinds";
import { Literals } from "./literals";
import { Replacer, Style } from "./replacer";
import { Look, Settings } from "./settings";

/** The configuration as the scanner wants it: made once, shared by all streams. */
@final
export class Rules {
  readonly kinds: Kinds = new Kinds();
  readonly classes!: StaticArray<u8>;
  readonly literals: Literals | null;
  readonly names: FieldNames | null;
  readonly isDryRun: bool;

  constructor(settings: Settings) {
    const key = Bytes.of(settings.hashKey);
    this.isDryRun = settings.dryRun;
    this.take(Kind.Email, settings.email, key);
    this.take(Kind.Card, settings.card, key);
    this.take(Kind.Iban, settings.iban, key);
    this.take(Kind.Ssn, settings.ssn, key);
    this.take(Kind.Phone, settings.phone, key);
    this.take(Kind.Ipv4, settings.ipv4, key);
    this.take(Kind.Ipv6, settings.ipv6, key);
    const literals = settings.literals;
    if (literals != null) this.take(Kind.Literal, literals.as, key);
    this.literals = literals == null ? null : new Literals(literals.texts, literals.ignoreCase);
    const fields = settings.fields;
    if (fields != null) this.take(Kind.Field, fields.as, key);
    this.names = fields == null ? null : new FieldNames(smallLetters(fields.names));
    this.classes = classesFor(this.kinds);
  }

  private take(kind: Kind, look: Look | null, key: Bytes): void {
    if (look == null) return;
    const style: Style = look.style.value;
    this.kinds.set(kind, new Replacer(style, look.keepLast, Bytes.of(look.text), key));
  }
}

function smallLetters(names: Bytes[]): Bytes[] {
  const small = new Array<Bytes>();
  for (let i = 0; i < names.length; i++) small.push(names[i].toLowerCase().copy());
  return small;
}
