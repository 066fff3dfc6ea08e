import { passesLuhn } from './check-digits.ts';
import { type ContextWords, contextFinder } from './context.ts';
import type { ScanInput } from './detector.ts';
import { type DigitCluster, digitsOf, endsNumber, hasShape, separatorBefore } from './digit-groups.ts';

/** First digits (inclusive range) and lengths a scheme gives out, ISO/IEC 7812; `common` ones need no context. */
type CardScheme = { from: number; to: number; lengths: readonly number[]; common: boolean };

export const cardSchemes: readonly CardScheme[] = [
  { from: 4, to: 4, lengths: [13, 16, 19], common: true }, // Visa
  { from: 51, to: 55, lengths: [16], common: true }, // Mastercard
  { from: 2221, to: 2720, lengths: [16], common: true }, // Mastercard
  { from: 34, to: 34, lengths: [15], common: true }, // American Express
  { from: 37, to: 37, lengths: [15], common: true }, // American Express
  { from: 6011, to: 6011, lengths: [16, 19], common: true }, // Discover
  { from: 644, to: 649, lengths: [16, 19], common: true }, // Discover
  { from: 65, to: 65, lengths: [16, 19], common: true }, // Discover, RuPay
  { from: 62, to: 62, lengths: [16, 17, 18, 19], common: true }, // UnionPay
  { from: 3528, to: 3589, lengths: [16, 17, 18, 19], common: true }, // JCB
  { from: 300, to: 305, lengths: [14, 16, 19], common: true }, // Diners
  { from: 309, to: 309, lengths: [14, 16, 19], common: true }, // Diners
  { from: 36, to: 36, lengths: [14, 16, 19], common: true }, // Diners
  { from: 38, to: 39, lengths: [14, 16, 19], common: true }, // Diners
  { from: 2200, to: 2204, lengths: [16, 19], common: true }, // Mir
  { from: 9792, to: 9792, lengths: [16], common: true }, // Troy
  { from: 60, to: 60, lengths: [16], common: true }, // RuPay
  { from: 81, to: 82, lengths: [16], common: true }, // RuPay
  { from: 5019, to: 5019, lengths: [16], common: true }, // Dankort
  { from: 6362, to: 6363, lengths: [16], common: true }, // Elo
  { from: 5041, to: 5041, lengths: [16], common: true }, // Elo
  { from: 5067, to: 5067, lengths: [16], common: true }, // Elo
  { from: 5090, to: 5090, lengths: [16], common: true }, // Elo
  { from: 5060, to: 5061, lengths: [16, 18, 19], common: true }, // Verve
  { from: 8600, to: 8600, lengths: [16], common: true }, // Uzcard
  { from: 9860, to: 9860, lengths: [16], common: true }, // Humo
  { from: 50, to: 50, lengths: [12, 13, 14, 15, 16, 17, 18, 19], common: false }, // Maestro
  { from: 56, to: 58, lengths: [12, 13, 14, 15, 16, 17, 18, 19], common: false }, // Maestro
  { from: 61, to: 69, lengths: [12, 13, 14, 15, 16, 17, 18, 19], common: false }, // Maestro
];

/** How the digits of a card are written in groups; a single group is any length. */
const cardShapes: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
  [4, 4, 4, 3],
  [4, 4, 4, 2],
  [4, 4, 4, 1],
];
const cardSeparators = new Set([' ', '-', '.', ' - ']);

const contextWords: ContextWords = {
  near: [
    ...'card cards credit debit visa mastercard maestro amex pan cc carte karte kreditkarte tarjeta carta cartão kaart'.split(
      ' ',
    ),
    ...'kort kortti kartta karta karty kartu kart kartı карта карты карту картка カード 卡号 银行卡 信用卡 카드 بطاقة'.split(
      ' ',
    ),
    ...['כרטיס', 'कार्ड', 'thẻ', 'บัตร', 'κάρτα'],
  ],
  against: [],
};
const cardContext = contextFinder(contextWords);

/** The scheme that gives out numbers of this beginning and length, twelve digits or more. Does not check Luhn. */
export function cardScheme(digits: string): CardScheme | undefined {
  const four = Number(digits.slice(0, 4));
  return cardSchemes.find(({ from, to, lengths }) => {
    const beginning = from > 999 ? four : Math.floor(four / (from > 99 ? 10 : from > 9 ? 100 : 1000));
    return beginning >= from && beginning <= to && lengths.includes(digits.length);
  });
}

function accepted(input: ScanInput, digits: string, start: number, end: number): boolean {
  const scheme = cardScheme(digits);
  if (scheme === undefined || !passesLuhn(digits) || /^(\d)\1*$/.test(digits)) return false;
  return scheme.common || cardContext(input.text, input.keyName, start, end) === 'near';
}

/** Number of groups from `index` that are a card, or 0. */
export function cardAt(input: ScanInput, cluster: DigitCluster, index: number): number {
  const { text } = input;
  const first = cluster.groups[index];
  if (first === undefined) return 0;
  const length = first.end - first.start;
  if (length >= 12) {
    const digits = text.slice(first.start, first.end);
    const fits = length <= 19 && endsNumber(text, first.end) && accepted(input, digits, first.start, first.end);
    return fits ? 1 : 0;
  }
  if (length !== 4) return 0;
  for (const shape of cardShapes) {
    const last = cluster.groups[index + shape.length - 1];
    if (last === undefined || !hasShape(text, cluster, index, shape) || !endsNumber(text, last.end)) continue;
    if (!cardSeparators.has(separatorBefore(text, cluster, index + 1))) return 0;
    const digits = digitsOf(text, cluster.groups.slice(index, index + shape.length));
    if (accepted(input, digits, first.start, last.end)) return shape.length;
  }
  return 0;
}
