/** Under which name an operator gives a value: before it, before its type, or in the other half of a pair. */
import { codeAt, isAlnum, isLetter, isSpace, isWord } from './characters.ts';
import { isSensitiveKey, sensitiveTails, tailBefore, tailsOf } from './sensitive-key.ts';

const nameMax = 48;
const pairMaxChars = 140;
const wordMaxChars = 24;
/** What may stand between a name and its operator: `\\"`, `]`, and the beginnings of `::=`, `?=` and `.=`. */
const joining = new Set(Array.from('\\]:?.', (char) => char.charCodeAt(0)));
export const quotes = new Set(Array.from('"\'`', (char) => char.charCodeAt(0)));

/** Words for a password that are no names of programs: read in prose and forms, and judged by what follows. */
const passwordWords: readonly string[] = [
  ...['mot de passe', 'contraseña', 'contrasenya', 'clave de acceso', 'senha', 'palavra-passe', 'parola'],
  ...["parola d'ordine", 'wachtwoord', 'lösenord', 'passord', 'adgangskode', 'kodeord', 'salasana', 'hasło', 'haslo'],
  ...[
    'heslo',
    'jelszó',
    'jelszo',
    'şifre',
    'sifre',
    'пароль',
    'пароля',
    'парола',
    'лозинка',
    'κωδικός',
    'סיסמה',
    'סיסמא',
  ],
  ...['كلمة المرور', 'كلمة السر', 'رمز عبور', 'पासवर्ड', 'পাসওয়ার্ড', 'รหัสผ่าน', 'mật khẩu', 'kata sandi', '密码', '密碼'],
  ...['口令', 'パスワード', '暗証番号', '비밀번호', '암호'],
];
const passwordWordsByEnd = new Map<string, string[]>();
for (const word of passwordWords) {
  const known = passwordWordsByEnd.get(word.slice(-1)) ?? [];
  passwordWordsByEnd.set(word.slice(-1), [...known, word]);
}

/** The word for a password that a text ends with, if any. */
function passwordWordIn(text: string): string | undefined {
  const lower = text.toLowerCase();
  return passwordWordsByEnd.get(lower.slice(-1))?.find((word) => lower.endsWith(word));
}

export const isPasswordWord = (name: string): boolean => passwordWordIn(name.slice(-wordMaxChars)) !== undefined;
const passwordTails = tailsOf([
  'passe',
  'acceso',
  'senha',
  'parola',
  'ordine',
  'woord',
  'nord',
  'passord',
  'kode',
  'ana',
  'slo',
  'fre',
  'szo',
  'andi',
]);

/** The half of a pair that holds the value: `"name": "X", "value": ...`, `variable "X" { default = ...`. */
const valueHalf = /^(?:value|val|default|defaultvalue)$/i;
const valueTails = tailsOf(['value', 'val', 'default']);
const nameHalf =
  /(?<![A-Za-z])(?:name|key|variable|header|field)[\\"']{0,8}[ \t]?[:=]?[ \t]?[\\"']{0,8}([\w.-]{3,48})[\\"']{0,8}[ \t]?[,;{]?(?:\\[nrt]|[\s\\"'-]){0,40}$/i;

const typeTails = tailsOf(['str', 'string', 'char', 'text', 'any']);
const typeNames: ReadonlySet<string> = new Set(['str', 'string', 'secretstr', 'charsequence', 'char', 'text', 'any']);
/** What may stand between a name and its type, as in `api_key: &str`, `apiKey?: string` and `apiKey string`. */
const typeMarks = new Set(Array.from(' \t:&?!', (char) => char.charCodeAt(0)));
const typeMarksMax = 5;

export type AssignedName = { name: string; start: number };

const anyTails = new Set([...sensitiveTails, ...passwordTails, ...valueTails, ...typeTails]);

/** The name of a secret before the operator at `at`; undefined where there is none. Looks back no further than `floor`. */
export function assignedName(text: string, at: number, floor: number): AssignedName | undefined {
  const end = nameEndBefore(text, at, floor);
  if (end === floor) return undefined;
  // most names have no such end, and to read one costs more than to look at its end
  const tail = tailBefore(text, end);
  if (tail === -1) return passwordName(text, end, floor) ?? plainName(text, end, floor);
  if (!anyTails.has(tail)) return undefined;
  const name = sensitiveTails.has(tail) ? plainName(text, end, floor) : undefined;
  if (name !== undefined) return name;
  if (passwordTails.has(tail)) return passwordName(text, end, floor);
  if (valueTails.has(tail)) return pairedName(text, end, floor);
  return typeTails.has(tail) ? typedName(text, at, end, floor) : undefined;
}

function plainName(text: string, end: number, floor: number): AssignedName | undefined {
  if (!isAlnum(codeAt(text, end - 1))) return undefined;
  const start = nameStartBefore(text, end, floor);
  const name = text.slice(start, end);
  return isSensitiveKey(name) ? { name, start } : undefined;
}

function passwordName(text: string, end: number, floor: number): AssignedName | undefined {
  const word = passwordWordIn(text.slice(Math.max(floor, end - wordMaxChars), end));
  return word === undefined ? undefined : { name: 'password', start: end - word.length };
}

function pairedName(text: string, end: number, floor: number): AssignedName | undefined {
  const start = nameStartBefore(text, end, floor);
  if (!valueHalf.test(text.slice(start, end))) return undefined;
  const name = nameHalf.exec(text.slice(Math.max(floor, start - pairMaxChars), start))?.[1];
  return name === undefined || !isSensitiveKey(name) ? undefined : { name, start };
}

/** Of what is declared with a type only a literal is looked at. */
function typedName(text: string, at: number, end: number, floor: number): AssignedName | undefined {
  const next = codeAt(text, at + 1) === 32 ? at + 2 : at + 1;
  if (text[at] !== '=' || !quotes.has(codeAt(text, next))) return undefined;
  let typeStart = end;
  while (end - typeStart < nameMax && isLetter(codeAt(text, typeStart - 1))) typeStart--;
  if (!typeNames.has(text.slice(typeStart, end).toLowerCase())) return undefined;
  let nameEnd = typeStart;
  while (typeStart - nameEnd < typeMarksMax && typeMarks.has(codeAt(text, nameEnd - 1))) nameEnd--;
  return nameEnd === typeStart || nameEnd <= floor ? undefined : plainName(text, nameEnd, floor);
}

/** End of the identifier before the operator at `at`: closing quotes, escapes and brackets between them are skipped. */
function nameEndBefore(text: string, at: number, floor: number): number {
  let end = at;
  for (let skipped = 0; skipped < 8 && end > floor; skipped++) {
    const code = codeAt(text, end - 1);
    if (!isSpace(code) && !quotes.has(code) && !joining.has(code)) break;
    end--;
  }
  return end;
}

function nameStartBefore(text: string, end: number, floor: number): number {
  let start = end;
  while (start > floor && end - start < nameMax && isWordOrDot(codeAt(text, start - 1))) start--;
  return start;
}

const isWordOrDot = (code: number): boolean => isWord(code) || code === 46;
