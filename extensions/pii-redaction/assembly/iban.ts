import { before, isAlnum, isDigit, isLetter } from "./byte-class";

/** Letters and digits of the shortest and the longest IBAN there are. */
const LENGTH_MIN: i32 = 15;
const LENGTH_MAX: i32 = 34;

/** How long a country's IBANs are (ISO 13616 registry): its code, then two digits. */
const LENGTHS: string = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22"
  + "DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23"
  + "IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18"
  + "NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24"
  + "TR26UA29VA22VG24XK20YE30";

/** The same by the two letters, of which each has 26 places: 0 where there is no such country. */
@lazy const lengths: StaticArray<u8> = lengthsByCode();

function lengthsByCode(): StaticArray<u8> {
  const table = new StaticArray<u8>(26 * 26);
  for (let i = 0; i < LENGTHS.length; i += 4) {
    const tens = LENGTHS.charCodeAt(i + 2) - 0x30;
    const code = codeOf(LENGTHS.charCodeAt(i), LENGTHS.charCodeAt(i + 1));
    table[code] = <u8>(10 * tens + LENGTHS.charCodeAt(i + 3) - 0x30);
  }
  return table;
}

/** The number of a country by its letters, of either case. */
function codeOf(first: i32, second: i32): i32 {
  return 26 * ((first & 0xdf) - 0x41) + (second & 0xdf) - 0x41;
}

/**
 * Where the IBAN begins that ends at `end`, or 0: in one word, or in groups of four with single
 * spaces between. Its check digits must be right (ISO 7064, MOD 97-10).
 */
export function ibanBefore(low: usize, end: usize): usize {
  let start: usize = 0;
  let length = 0;
  let group = 0;
  let isSpaced = false;
  let at = end;
  while (at > low) {
    const byte: u32 = load<u8>(--at);
    if (isAlnum(byte)) {
      if (++length > LENGTH_MAX) break;
      if (isSpaced && ++group > 4) break;
      if (!isSpaced) group++;
      const isFirst = !isAlnum(before(low, at));
      if (!isFirst) continue;
      if (isSpaced && group != 4) break;
      if (length >= LENGTH_MIN && isIban(at, end, length)) start = at;
    } else {
      // The first group met, which is the last, may be shorter than the others.
      if (byte != 0x20 || group > 4 || !isAlnum(before(low, at))) break;
      isSpaced = true;
      group = 0;
    }
  }
  return start;
}

function isIban(start: usize, end: usize, length: i32): bool {
  if (!isLetter(load<u8>(start)) || !isLetter(load<u8>(start, 1))) return false;
  if (!isDigit(load<u8>(start, 2)) || !isDigit(load<u8>(start, 3))) return false;
  if (lengths[codeOf(load<u8>(start), load<u8>(start, 1))] != length) return false;
  // The first four stand last in what is checked.
  return remainder(start, start + 4, remainder(start + 4, end, 0)) == 1;
}

/** The rest of the division by 97, letters being the numbers from 10 to 35. */
function remainder(start: usize, end: usize, so: u32): u32 {
  let rest = so;
  for (let at = start; at < end; at++) {
    const byte: u32 = load<u8>(at);
    if (isDigit(byte)) rest = (rest * 10 + byte - 0x30) % 97;
    else if (isLetter(byte)) rest = (rest * 100 + (byte & 0xdf) - 0x37) % 97;
  }
  return rest;
}
