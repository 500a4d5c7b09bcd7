import { Bytes } from "@weft/sdk/assembly";
import { classesFor, endsFor } from "./byte-class";
import { FieldNames } from "./json-lexer";
import { Kind, Kinds } from "./kinds";
import { Literals } from "./literals";
import { Replacer, Style } from "./replacer";
import { Scanner } from "./scanner";
import { Look, Settings } from "./settings";

/** Scanners put aside for bodies to come: what a busy moment leaves behind is not kept for good. */
const SPARES_MAX: i32 = 64;

/** The configuration as the scanner wants it: made once, shared by all streams. */
@final
export class Rules {
  readonly kinds: Kinds = new Kinds();
  readonly classes!: StaticArray<u8>;
  /** The classes whose ends are looked at. */
  readonly ends!: u32;
  readonly literals: Literals | null;
  readonly names: FieldNames | null;
  readonly isDryRun: bool;
  private spare: Scanner | null = null;
  private spares: i32 = 0;

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
    this.names = fields == null ? null : new FieldNames(fields.names);
    this.classes = classesFor(this.kinds);
    this.ends = endsFor(this.kinds);
  }

  /** A scanner for a body: one that has done with another, or a new one. */
  takeScanner(isJson: bool): Scanner {
    let scanner = this.spare;
    if (scanner == null) scanner = new Scanner(this);
    else {
      this.spare = scanner.older;
      this.spares--;
    }
    scanner.older = null;
    scanner.begin(isJson);
    return scanner;
  }

  /** Puts a scanner aside whose body is over. */
  keepScanner(scanner: Scanner): void {
    if (this.spares == SPARES_MAX) return;
    scanner.older = this.spare;
    this.spare = scanner;
    this.spares++;
  }

  private take(kind: Kind, look: Look | null, key: Bytes): void {
    if (look == null) return;
    const style: Style = look.style.value;
    this.kinds.set(kind, new Replacer(style, look.keepLast, Bytes.of(look.text), key));
  }
}
