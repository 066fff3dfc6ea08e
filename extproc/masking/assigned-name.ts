/** Under which name an operator gives a value: before it, before its type, or in the other half of a pair. */
import { codeAt, isAlnum, isSpace, isWord } from './characters.ts';
import { isSensitiveKey, mayEndSensitive, tailsOf } from './sensitive-key.ts';

const nameMax = 48;
const pairMaxChars = 140;
const typedMaxChars = 96;
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
/** `api_key: &str`, `apiKey: string`, `apiKey string`. */
const typed =
  /([A-Za-z_$][\w$.]{2,47})(?:[?!]?[ \t]{0,2}:[ \t]{0,2}|[ \t])&?(?:'\w{1,16}[ \t])?(?:str|string|SecretStr|CharSequence|char|text|any)\??[ \t]{0,2}$/i;

export type AssignedName = { name: string; start: number };

/** The name of a secret before the operator at `at`; undefined where there is none. Looks back no further than `floor`. */
export function assignedName(text: string, at: number, floor: number): AssignedName | undefined {
  const end = nameEndBefore(text, at, floor);
  if (end === floor) return undefined;
  if (isAlnum(codeAt(text, end - 1)) && mayEndSensitive(text, end)) {
    const start = nameStartBefore(text, end, floor);
    const name = text.slice(start, end);
    if (isSensitiveKey(name)) return { name, start };
  }
  return passwordName(text, end, floor) ?? pairedName(text, end, floor) ?? typedName(text, at, end, floor);
}

function passwordName(text: string, end: number, floor: number): AssignedName | undefined {
  if (!mayEndSensitive(text, end, passwordTails)) return undefined;
  const word = passwordWordIn(text.slice(Math.max(floor, end - wordMaxChars), end));
  return word === undefined ? undefined : { name: 'password', start: end - word.length };
}

function pairedName(text: string, end: number, floor: number): AssignedName | undefined {
  if (!mayEndSensitive(text, end, valueTails)) return undefined;
  const start = nameStartBefore(text, end, floor);
  if (!valueHalf.test(text.slice(start, end))) return undefined;
  const name = nameHalf.exec(text.slice(Math.max(floor, start - pairMaxChars), start))?.[1];
  return name === undefined || !isSensitiveKey(name) ? undefined : { name, start };
}

function typedName(text: string, at: number, end: number, floor: number): AssignedName | undefined {
  if (text[at] !== '=' || !mayEndSensitive(text, end, typeTails)) return undefined;
  const name = typed.exec(text.slice(Math.max(floor, at - typedMaxChars), at))?.[1];
  return name === undefined || !isSensitiveKey(name) ? undefined : { name, start: end - name.length };
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
