import { codeAt, isDigit, isLetter } from './characters.ts';
import type { Detector } from './detector.ts';
import type { Literals } from './literals.ts';
import { matchEnd, sticky } from './pattern.ts';
import { remembered } from './remembered.ts';
import { charKind } from './trigger.ts';

/** How far behind its word a date of birth may begin, and how far before it. */
const afterMax = 60;
const beforeMax = 28;
const keyValueMax = 40;

const words: Literals = {
  ignoreCase: true,
  strings: [
    ...['dob', 'd.o.b', 'd.o.b.', 'date of birth', 'birth date', 'birthdate', 'birthday', 'birth day', 'born', 'bday'],
    ...['geboren', 'geb.', 'geburtsdatum', 'geburtstag', 'geboortedatum', 'geboren am', 'født', 'född', 'urodzony'],
    ...['née le', 'né le', 'date de naissance', 'naissance', 'nacimiento', 'nacido', 'nacida', 'nascimento', 'nascido'],
    ...['data di nascita', 'nato il', 'nata il', 'date_of_birth', 'birth_date', 'data_nascimento', 'fecha_nacimiento'],
  ],
};
const keyWord =
  /^(?:dob|born|.{0,24}birth.{0,12}|.{0,12}geburt.{0,12}|.{0,12}naissance|.{0,12}nacimiento|.{0,12}nascimento)$/i;
const isBirthKey = remembered((keyName) => keyWord.test(keyName));

const months =
  '(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|mär(?:z)?|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?|' +
  'sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)';
const day = '(?:0?[1-9]|[12]\\d|3[01])';
const monthNumber = '(?:0?[1-9]|1[0-2])';
const year = '(?:1[89]|20)\\d{2}';
const date = sticky(
  [
    `${year}[-/.]${monthNumber}[-/.]${day}`,
    `${day}[-/. ]{1,2}${monthNumber}[-/. ]{1,2}(?:${year}|\\d{2})`,
    `${monthNumber}[-/]${day}[-/](?:${year}|\\d{2})`,
    `${day}(?:st|nd|rd|th|\\.)?[ -](?:of )?${months}[.,]?[ -]{1,2}(?:${year}|\\d{2})`,
    `${months}\\.?[ -]${day}(?:st|nd|rd|th)?,?[ -]{1,2}${year}`,
    `${year}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])`,
  ]
    .map((form) => `(?:${form})(?![0-9A-Za-z])`)
    .join('|'),
  'i',
);

/** Place of the first date that begins in `[from, to)`, or of the last one where `last` is asked for. */
function dateIn(text: string, from: number, to: number): { start: number; end: number } | undefined {
  for (let at = Math.max(0, from); at < Math.min(to, text.length); at++) {
    const before = codeAt(text, at - 1);
    if (isDigit(before) || isLetter(before)) continue;
    const end = matchEnd(date, text, at);
    if (end !== -1) return { start: at, end };
  }
  return undefined;
}

/** Dates beside a word that makes them somebody's date of birth; any other date stays. */
export const birthDateDetector: Detector = {
  id: 'birth-date',
  needs: charKind.digit,
  literals: words,
  detect({ text, keyName }, out, places) {
    const add = (found: { start: number; end: number } | undefined): void => {
      if (found !== undefined)
        out.push({ type: 'BIRTH_DATE', rule: 'birth-date', rank: 'validated', score: 0.8, ...found });
    };
    if (keyName !== '' && text.length <= keyValueMax && isBirthKey(keyName)) add(dateIn(text, 0, text.length));
    let next = 0;
    for (const { at, literal } of places) {
      if (at < next) continue;
      const end = at + literal.length;
      next = end;
      if (isLetter(codeAt(text, at - 1)) || isLetter(codeAt(text, end))) continue;
      add(dateIn(text, end, end + afterMax) ?? dateIn(text, at - beforeMax, at));
    }
  },
};
