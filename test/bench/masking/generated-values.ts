/** Made-up personal data in the forms in which people, programs and countries write it; all from one source of chance. */
import { type CountryCode, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js';
import examples from 'libphonenumber-js/examples.mobile.json';
import { passesLuhn } from '../../../extproc/masking/check-digits.ts';
import { ibanLengths, passesMod97 } from '../../../extproc/masking/iban.ts';
import { seededRandom } from '../statistics.ts';

/** Draws, the same for the same seed. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  digits(count: number): string {
    return Array.from({ length: count }, () => this.below(10)).join('');
  }

  from(alphabet: string, count: number): string {
    return Array.from({ length: count }, () => alphabet.charAt(this.below(alphabet.length))).join('');
  }
}

const given = [
  'maria',
  'jean',
  'lukas',
  'priya',
  'wei',
  'fatima',
  'oluwaseun',
  'anna',
  'josé',
  'dmitri',
  'ingrid',
  'tariq',
];
const family = [
  'silva',
  'dupont',
  'huber',
  'sharma',
  'zhang',
  'haddad',
  'okafor',
  'nowak',
  'garcia',
  'petrov',
  'berg',
  'khan',
];
const hosts = [
  'example.com',
  'mail.example.co.uk',
  'firma.de',
  'correo.es',
  'kontor.no',
  'hotmail.com',
  'uni-wien.ac.at',
  'kaisha.co.jp',
  'startup.io',
];
const ascii = (text: string): string => text.normalize('NFKD').replace(/[^a-z]/g, '');

function email(chance: Chance): string {
  const [first, last] = [ascii(chance.of(given)), ascii(chance.of(family))];
  const local = chance.of([
    `${first}.${last}`,
    `${first}_${last}${chance.below(99)}`,
    `${first.charAt(0)}${last}`,
    `${first}+${last}`,
    `${first}-${last}`,
    `info.${last}`,
  ]);
  const address = `${local}@${chance.of(hosts)}`;
  return chance.below(8) === 0 ? address.toUpperCase() : address;
}

const countries: readonly CountryCode[] = [
  ...([
    'US',
    'CA',
    'GB',
    'DE',
    'FR',
    'ES',
    'IT',
    'NL',
    'BE',
    'AT',
    'CH',
    'PL',
    'SE',
    'NO',
    'DK',
    'FI',
    'PT',
    'IE',
    'CZ',
    'GR',
  ] as const),
  ...([
    'BR',
    'MX',
    'AR',
    'CO',
    'IN',
    'JP',
    'KR',
    'AU',
    'NZ',
    'ZA',
    'NG',
    'KE',
    'EG',
    'AE',
    'TR',
    'IL',
    'SG',
    'PH',
    'ID',
    'TH',
    'UA',
  ] as const),
];

function phone(chance: Chance): string {
  for (;;) {
    const country = chance.of(countries);
    const example = getExampleNumber(country, examples);
    if (example === undefined) continue;
    const kept = example.nationalNumber.length - 4;
    const parsed = parsePhoneNumberFromString(`${example.nationalNumber.slice(0, kept)}${chance.digits(4)}`, country);
    if (parsed === undefined || !parsed.isValid()) continue;
    const international = parsed.formatInternational();
    const form = chance.below(8);
    if (form < 3) return international;
    if (form === 3) return parsed.number;
    if (form === 4) return international.replaceAll(' ', '-');
    if (form === 5) return international.replaceAll(' ', '.');
    if (form === 6) return `00${international.slice(1)}`;
    return parsed.formatNational();
  }
}

const issuers: readonly (readonly [string, number, readonly number[]])[] = [
  ['4', 16, [4, 4, 4, 4]],
  ['51', 16, [4, 4, 4, 4]],
  ['2221', 16, [4, 4, 4, 4]],
  ['37', 15, [4, 6, 5]],
  ['6011', 16, [4, 4, 4, 4]],
  ['3528', 16, [4, 4, 4, 4]],
];

function grouped(digits: string, groups: readonly number[], separator: string): string {
  const starts = groups.map((_, index) => groups.slice(0, index).reduce((sum, length) => sum + length, 0));
  return groups.map((length, index) => digits.slice(starts[index], (starts[index] ?? 0) + length)).join(separator);
}

function card(chance: Chance): string {
  const [prefix, length, groups] = chance.of(issuers);
  const body = prefix + chance.digits(length - prefix.length - 1);
  const check = Array.from('0123456789').find((digit) => passesLuhn(body + digit)) ?? '0';
  return grouped(body + check, groups, chance.of(['', ' ', '-']));
}

const ibanCountries = ['DE', 'GB', 'FR', 'ES', 'NL', 'AT', 'CH', 'PL', 'SE', 'NO', 'BE', 'IT', 'PT', 'FI', 'IE'];

function iban(chance: Chance): string {
  const country = chance.of(ibanCountries);
  const length = ibanLengths.get(country) ?? 22;
  const letters =
    country === 'GB' || country === 'NL' || country === 'IE' ? chance.from('ABCDEFGHJKLMNPRSTVWXYZ', 4) : '';
  const bank = letters + chance.digits(length - 4 - letters.length);
  const check = Array.from({ length: 97 }, (_, at) => String(at + 2).padStart(2, '0')).find((two) =>
    passesMod97(country + two + bank),
  );
  const number = `${country}${check ?? '00'}${bank}`;
  return chance.below(2) === 0 ? number : number.replace(/(.{4})(?=.)/g, '$1 ');
}

function ssn(chance: Chance): string {
  const area = String(100 + chance.below(565)).padStart(3, '0');
  const digits = `${area}${String(1 + chance.below(98)).padStart(2, '0')}${String(1 + chance.below(9998)).padStart(4, '0')}`;
  return grouped(digits, [3, 2, 4], chance.of(['-', '-', '-', ' ']));
}

function ip(chance: Chance): string {
  if (chance.below(4) > 0)
    return [1 + chance.below(223), chance.below(256), chance.below(256), 1 + chance.below(254)].join('.');
  const group = () => chance.from('0123456789abcdef', 1 + chance.below(4)).replace(/^0+(?=.)/, '');
  return chance.below(2) === 0
    ? `2001:db8:${group()}::${group()}`
    : ['fd00', ...Array.from({ length: 7 }, group)].join(':');
}

function url(chance: Chance): string {
  const path = chance.of([
    '',
    '/',
    '/login',
    '/a/b?x=1&y=2',
    `/orders/${chance.digits(5)}`,
    '/docs#top',
    ':8443/health',
  ]);
  return `${chance.of(['https', 'http', 'https'])}://${chance.of(['', 'www.', 'api.', 'intra.'])}${chance.of(hosts)}${path}`;
}

/** By the names of labelled data. */
export const makers = {
  EMAIL_ADDRESS: email,
  PHONE_NUMBER: phone,
  CREDIT_CARD: card,
  IBAN_CODE: iban,
  US_SSN: ssn,
  IP_ADDRESS: ip,
  URL: url,
};

/** What looks like personal data and is none. */
export function harmless(chance: Chance): string {
  const hex = '0123456789abcdef';
  return chance.of([
    () => `order ${chance.digits(7)}`,
    () => `version ${chance.below(9)}.${chance.below(20)}.${chance.below(40)}`,
    () => `20${10 + chance.below(16)}-0${1 + chance.below(9)}-${10 + chance.below(18)}T08:15:${10 + chance.below(49)}Z`,
    () => `commit ${chance.from(hex, 40)}`,
    () =>
      `${chance.from(hex, 8)}-${chance.from(hex, 4)}-4${chance.from(hex, 3)}-a${chance.from(hex, 3)}-${chance.from(hex, 12)}`,
    () => `invoice RE-20${10 + chance.below(16)}-${chance.digits(5)}`,
    () => `total ${chance.below(9000)},${chance.digits(2)} EUR`,
    () => `timestamp ${1_500_000_000 + chance.below(300_000_000)}`,
    () => `pages ${chance.below(300)}-${300 + chance.below(300)}`,
    () => `size ${chance.digits(9)} bytes`,
    () => `@${chance.of(given)} reviewed #${chance.digits(4)}`,
    () => `row ${chance.digits(3)} of ${chance.digits(4)}, ratio 0.${chance.digits(6)}`,
  ])();
}
