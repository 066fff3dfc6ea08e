import { codeAt, isDigit, isLetter } from './characters.ts';
import type { Detector } from './detector.ts';
import type { Literals } from './literals.ts';
import { anyLiteral, matchEnd, sticky } from './pattern.ts';
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
    ...['geboren', 'geb.', 'geburtsdatum', 'geburtstag', 'geboortedatum', 'geboren am', 'geboren op', 'geboortedag'],
    ...['født', 'fødselsdato', 'född', 'födelsedatum', 'födelsedag', 'syntymäaika', 'syntynyt', 'urodzony', 'urodzona'],
    ...['data urodzenia', 'narozen', 'narozena', 'narozeni', 'dogum tarihi', 'tanggal lahir', 'lahir'],
    ...['née le', 'né le', 'date de naissance', 'naissance', 'nacimiento', 'nacido', 'nacida', 'nascimento', 'nascido'],
    ...['nascida', 'data di nascita', 'nato il', 'nata il', 'date_of_birth', 'birth_date', 'data_nascimento'],
    ...[
      'fecha_nacimiento',
      'dateofbirth',
      'ngày sinh',
      'sinh ngày',
      'születési',
      'született',
      'nascut',
      'data nasterii',
    ],
  ],
};
/** Words beyond Latin-1, looked for in texts that hold such characters; many are stems. */
const wideWords = anyLiteral(
  [
    ...['дата рождения', 'день рождения', 'родился', 'родилась', 'рождения', 'народження', 'народився', 'народилася'],
    ...[
      'роден',
      'датум рођења',
      '生年月日',
      '出生日期',
      '出生年月',
      '出生',
      '誕生日',
      '생년월일',
      '생일',
      'doğum',
      'narození',
    ],
    ...[
      'nașterii',
      'născut',
      'născută',
      'γέννησης',
      'γεννήθηκε',
      'תאריך לידה',
      'תאריך הלידה',
      'تاريخ الميلاد',
      'مواليد',
    ],
    ...['जन्म', 'วันเกิด', 'dzień urodzin', 'narodenia'],
  ],
  { ignoreCase: true },
);
const keyWord =
  /^(?:dob|born|.{0,24}birth.{0,12}|.{0,12}(?:geburt|geboorte|naissance|nacimiento|nascimento|nascita|födel|fødsel|fodsel|urodzenia|syntym|doğum|dogum|рожд|народж|生年月日|出生|생년월일).{0,12})$/i;
const isBirthKey = remembered((keyName) => keyWord.test(keyName));

/** Of the languages of the words above, in full; of English and German also short. */
const months = [
  'jan(?:uary|uar|uari|vier|eiro)?|feb(?:ruary|ruar|ruari|braio)?|mar(?:ch|s|zo|zec|ço|et)?|märz?|maart|apr(?:il|ile)?|may|maj|mai|mei',
  'june?|juni|july?|juli|aug(?:ust|usti|ustus)?|sept?(?:ember|embre|iembre)?|o[ck]t(?:ober|obre|obra)?|nov(?:ember|embre)?|de[cz](?:ember|embre)?',
  'février|fevrier|avril|juin|juillet|août|aout|octobre|décembre|enero|febrero|abril|mayo|junio|julio|agosto|septiembre|octubre',
  'noviembre|diciembre|gennaio|maggio|giugno|luglio|settembre|ottobre|dicembre|fevereiro|março|maio|junho|julho|setembro|outubro',
  'novembro|dezembro|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia',
  'ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık',
  'января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря',
].join('|');
const day = '(?:0?[1-9]|[12]\\d|3[01])';
const monthNumber = '(?:0?[1-9]|1[0-2])';
const year = '(?:1[89]|20)\\d{2}';
const timeOfDay = '(?:[T ]\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d{1,9})?)?(?:Z|[+-]\\d\\d:?\\d\\d)?)?';
const date = sticky(
  [
    `${year}[-/.]${monthNumber}[-/.]${day}${timeOfDay}`,
    `${day}[-/. ]{1,2}${monthNumber}[-/. ]{1,2}(?:${year}|\\d{2})`,
    `${monthNumber}[-/]${day}[-/](?:${year}|\\d{2})`,
    `${day}(?:st|nd|rd|th|er|º|\\.)?[ -](?:of |de )?(?:${months})[.,]?[ -]{1,2}(?:de |del )?(?:${year}|\\d{2})`,
    `(?:${months})\\.?[ -]${day}(?:st|nd|rd|th)?,?[ -]{1,2}${year}`,
    `${year} ?[年년] ?${monthNumber} ?[月월] ?${day} ?[日일]`,
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
  detect({ text, keyName, triggers }, out, places) {
    const add = (found: { start: number; end: number } | undefined): void => {
      if (found !== undefined)
        out.push({ type: 'BIRTH_DATE', rule: 'birth-date', rank: 'validated', score: 0.8, ...found });
    };
    const addBeside = (start: number, end: number): void =>
      add(dateIn(text, end, end + afterMax) ?? dateIn(text, start - beforeMax, start));
    if (keyName !== '' && text.length <= keyValueMax && isBirthKey(keyName)) add(dateIn(text, 0, text.length));
    let next = 0;
    for (const { at, literal } of places) {
      if (at < next) continue;
      const end = at + literal.length;
      next = end;
      if (isLetter(codeAt(text, at - 1)) || isLetter(codeAt(text, end))) continue;
      addBeside(at, end);
    }
    if ((triggers.kinds & charKind.wide) === 0) return;
    for (const { index, 0: word } of text.matchAll(wideWords)) addBeside(index, index + word.length);
  },
};
