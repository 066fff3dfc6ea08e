import parsePhoneNumber, { type CountryCode } from 'libphonenumber-js/min';
import { codeAt, isAlnum } from './characters.ts';
import { type Context, contextFinder, contextIn } from './context.ts';
import type { ScanInput } from './detector.ts';
import { type DigitCluster, separatorBefore } from './digit-groups.ts';
import { matchEnd, sticky } from './pattern.ts';
import { remembered } from './remembered.ts';

const phoneContext = contextFinder({
  near: [
    ...'phone phones telephone tel mobile cell cellphone fax call dial sms whatsapp contact reach hotline landline handy mob'.split(
      ' ',
    ),
    ...'telefon telefone telefono teléfono téléphone portable celular móvil mobil mobilnummer handynummer rufnummer ring ph'.split(
      ' ',
    ),
    ...'gsm natel tfno tlfno telf tlf puh puhelin puhelinnumero matkapuhelin telefoon telefoonnummer telefonnummer telefonszám'.split(
      ' ',
    ),
    ...'telnr telno mobiel mobiltelefon komórka kom telefonu telemóvel telemovel fone fono cel cellulare cellulaire telepon nohp'.split(
      ' ',
    ),
    ...'llámame llamame llamar llame ligue appelez rappelez chiamami chiama zadzwoń τηλ τηλέφωνο κινητό тел телефон телефона'.split(
      ' ',
    ),
    ...'телефону моб мобильный мобильного звоните позвоните טלפון נייד هاتف جوال موبايل تليفون फोन फ़ोन मोबाइल ফোন মোবাইল โทร เบอร์'.split(
      ' ',
    ),
    ...'电话 電話 手机 手機 联系方式 携帯 전화 휴대폰 핸드폰 연락처'.split(' '),
    ...['text me', 'bel me', 'tel no', 'no hp', 'cep telefonu', 'điện thoại', 'sđt'],
  ],
  against: [
    ...'order invoice ticket version isbn tracking id account timestamp serial port bytes sha uuid commit price total line lines date zip pid size case'.split(
      ' ',
    ),
  ],
});

/** Countries whose national forms are tried when a number has no country code; the big callers of each numbering style. */
const nationalRegions: readonly CountryCode[] = ['US', 'GB', 'DE', 'FR', 'IT', 'AU', 'ES', 'NL'];

const digitsMin = 7;
const digitsMax = 15;
const groupsMax = 8;
const extension = sticky(' ?(?:x|ext\\.?|extension|#) ?\\d{1,6}', 'i');
/** One of ` #xe`, in either case. */
const beginsExtension = (code: number): boolean =>
  code === 32 || code === 35 || (code | 32) === 120 || (code | 32) === 101;
const dateShape = sticky(
  '(?:(?:19|20)\\d\\d[-./ ]\\d{1,2}[-./ ]\\d{1,2}|\\d{1,2}[-./]\\d{1,2}[-./](?:19|20)?\\d\\d)(?!\\d)',
);
const northAmerican = sticky(
  '(?:(?:\\+|00)?1[-. ]?)?(?:\\([2-9]\\d\\d\\) ?|[2-9]\\d\\d[-.])[2-9]\\d\\d[-.]\\d{4}(?!\\d)',
);
/** National forms that nothing else is written in, with no trunk zero: Russia, China, Spain. */
const nationalShapes = sticky(
  '(?:8 ?\\(9\\d\\d\\) ?\\d{3}-\\d\\d-\\d\\d|1[3-9]\\d[ -]\\d{4}[ -]\\d{4}|[67]\\d\\d \\d\\d \\d\\d \\d\\d)(?![ .-]?\\d)',
);
/** Bytes written in hex, before or after what looks like a number in pairs. */
const hexByte = sticky(' [0-9a-fA-F]{2}(?![0-9A-Za-z])');
const zipCode = sticky('\\d{5}-\\d{4}(?!\\d)');
const phoneSeparator = sticky('(?:[ .-]|\\) ?|\\)-| ?\\(| ?[-/] ?)$');
const isPhoneSeparator = remembered((separator) => matchEnd(phoneSeparator, separator, 0) !== -1);

/** How sure we are that `[start, end)` is a phone number; `next` is the group after it. */
export type PhoneMatch = { start: number; end: number; next: number; score: number };

type Span = { start: number; digits: string; last: number; international: boolean };

function isValid(input: ScanInput, number: string, region?: CountryCode): boolean {
  // past the budget a plausible shape is enough: rather masked than slow or readable
  if (input.budget.phoneChecks <= 0) return true;
  input.budget.phoneChecks--;
  return isGivenOut(`${region ?? ''}${number}`);
}

/** Whether a number is valid by its country code (`+49...`) or in the country whose two letters stand before it. */
const isGivenOut = remembered((number) => {
  if (number.startsWith('+')) return parsePhoneNumber(number, { extract: false })?.isValid() ?? false;
  const defaultCountry = number.slice(0, 2) as CountryCode;
  return parsePhoneNumber(number.slice(2), { extract: false, defaultCountry })?.isValid() ?? false;
});

/** Where a number written from group `index` begins: with its plus sign and opening bracket. */
function phoneStart(text: string, first: number): number {
  let start = first;
  if (text[start - 1] === '(') start--;
  if (text[start - 1] === '+') start--;
  if (start < first && text[start] === '+' && text[start - 1] === '(') start--;
  return start;
}

function isHexDump(text: string, start: number, end: number): boolean {
  return matchEnd(hexByte, text, end) !== -1 || (start >= 4 && matchEnd(hexByte, text, start - 4) === start - 1);
}

/** How sure we are of a span that ends at `end`; `context` is read once for all spans that begin at the same place. */
function scoreOf(input: ScanInput, index: number, span: Span, end: number, context: () => Context): number {
  const { text } = input;
  const { digits, start } = span;
  const count = span.last - index + 1;
  if (span.international) {
    if (isValid(input, `+${digits.replace(/^00/, '')}`)) return 0.9;
    return digits.length >= 10 && (count > 1 || context() === 'near') ? 0.6 : 0;
  }
  if (matchEnd(northAmerican, text, start) === end) return 0.7;
  if (matchEnd(nationalShapes, text, start) === end && context() !== 'against') return 0.6;
  if (matchEnd(dateShape, text, start) !== -1 || matchEnd(zipCode, text, start) === end) return 0;
  // two groups around a point are a decimal number
  if (count === 2 && text.slice(start, end).includes('.')) return 0;
  if (context() === 'against') return 0;
  if (context() === 'near') return count > 1 || digits.length >= 9 || isValid(input, digits, 'US') ? 0.6 : 0;
  const trunk = /^0[1-9]/.test(digits) || text[start] === '(';
  if (!trunk || count < 2 || isHexDump(text, start, end) || digits.length < 9 || digits.length > 12) return 0;
  return nationalRegions.some((region) => isValid(input, digits, region)) ? 0.6 : 0;
}

/** The runs of groups from `index` that can be a phone number by their separators and digits, longest first. */
function spans(text: string, cluster: DigitCluster, index: number, start: number): Span[] {
  const found: Span[] = [];
  const plus = text[start] === '+' || text[start + 1] === '+';
  let digits = '';
  for (let last = index; last < Math.min(cluster.groups.length, index + groupsMax); last++) {
    if (last > index && !isPhoneSeparator(separatorBefore(text, cluster, last))) break;
    const group = cluster.groups[last];
    if (group === undefined) break;
    digits += text.slice(group.start, group.end);
    if (digits.length > digitsMax + 2) break;
    const isAbroad = plus || /^00[1-9]/.test(digits);
    const international = plus || (isAbroad && digits.length >= 11);
    // single digits apart are a table or a list, not a number
    if (!isAbroad && last > index && group.end - group.start === 1) break;
    if (digits.length >= digitsMin) found.push({ start, digits, last, international });
  }
  return found.reverse();
}

/** The phone number that begins at group `index`, if there is one. */
export function phoneAt(input: ScanInput, cluster: DigitCluster, index: number): PhoneMatch | undefined {
  const { text } = input;
  const first = cluster.groups[index];
  if (first === undefined || first.end - first.start > digitsMax + 2) return undefined;
  const start = phoneStart(text, first.start);
  const before = text[start - 1];
  const glued = before === '-' || before === '.' || before === '/' || before === '+';
  if (text[start] !== '+' && glued && isAlnum(codeAt(text, start - 2))) return undefined;
  // a long row of equally spaced numbers is a table; trying each place of it would only cost time
  const spacing = separatorBefore(text, cluster, index);
  const inTable = cluster.full && spacing === separatorBefore(text, cluster, index + 1);
  if (inTable && start === first.start) return undefined;
  let known: Context | undefined;
  for (const span of spans(text, cluster, index, start)) {
    const digitsEnd: number = cluster.groups[span.last]?.end ?? first.end;
    const withExtension = beginsExtension(codeAt(text, digitsEnd)) ? matchEnd(extension, text, digitsEnd) : -1;
    const end = withExtension === -1 ? digitsEnd : withExtension;
    if (isAlnum(codeAt(text, end)) || text[end] === '_') continue;
    // part of a longer id, such as a UUID of digits alone
    if (!span.international && text[end] === '-' && isAlnum(codeAt(text, end + 1))) continue;
    const score = scoreOf(input, index, span, digitsEnd, () => {
      known ??= contextIn(phoneContext, input, start, end);
      return known;
    });
    if (score > 0) return { start, end, next: span.last + 1, score };
  }
  return undefined;
}
