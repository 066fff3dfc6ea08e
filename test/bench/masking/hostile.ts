/** Texts made to be slow to look at, and how the time for them grows. */
import { seededRandom } from '../statistics.ts';
import { cpuSecondsOf } from './ours.ts';

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A unit that is repeated, or an alphabet that is drawn from. */
type Shape = { name: string; unit: string } | { name: string; alphabet: string };

const units: readonly string[] = [
  ...['a', '@', 'a@', 'a@a.', 'jane@example.com ', '1', '1 ', '11 ', '1.', '12-', '(1)', '4111 ', '4111111111111111 '],
  ...['+1 415 555 2671 ', 'call 4155552671 ', '123-45-6789 ', '2024-01-15 ', '12:34:56 ', '1.2.3.4 ', '1.2.3.'],
  ...['12345678-1234-4123-8123-123456789012 ', 'DE44', 'DE89370400440532013000 ', ':', 'a:', '1::', '2001:db8::1 '],
  ...[
    '00:11:22:33:44:55 ',
    '00:',
    '://',
    'a://b:c@',
    'http://',
    'www.',
    '-',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
  ],
  ...['eyJ', 'eyJ.', 'sk-', 'ghp_', 'AKIA', 'Bearer ', 'SG.', 'datadog', 'dd_key=', '=', '>', 'password=', 'token: "'],
  ...[
    'password=x1y2z3w4v5,',
    'born ',
    'born 1.1.',
    '1.1.1980 dob',
    '0x',
    'bc1',
    'X-1234567',
    '1.234.567-',
    'ABCDEF12A',
  ],
  ...[
    '%25',
    '%41',
    '\\',
    '\\u0041',
    '"',
    '{"a":',
    '[{"a":[',
    '["a",',
    '"a":"b",',
    '\u200b',
    'a\u200b',
    '\uff11',
    '1\u00a0',
  ],
  ...['\ud835', '\u4eca\u5929', '\n', 'the quick brown fox '],
  ...[
    '-sk-aaaaaaaaaaaaaaaaaaaa',
    `ghp_example${'A'.repeat(27)}`,
    'a7Q~',
    'token=1',
    'пароль:1',
    '密码：',
    'curl -u ',
    'curl ',
  ],
  ...[
    'password is a1 ',
    'auth=("a", ',
    '--token a1 ',
    'value=',
    '&#64;',
    '&',
    'дата рождения 1.1.',
    '$6$a$',
    '1234567890:AA',
  ],
  ...['password,id\na1b2c3,2\n', 'mysql x -p', '{"name":"token","value":"a"},'],
  ...['id,phone\n', 'id,phone\n222 123 5710,', '222 123 5710,', ',\n', '"222 123 5710"\n'],
];
const shapes: readonly Shape[] = [
  ...units.map((unit) => ({ name: `${JSON.stringify(unit).slice(0, 24)} repeated`, unit })),
  { name: 'hexadecimal digits', alphabet: '0123456789abcdef' },
  { name: 'base64', alphabet: `${alphanumeric}+/` },
  { name: 'printable ASCII', alphabet: Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('') },
  { name: 'digits and marks', alphabet: '01 -./()+:@=,>"\'abAB%\\' },
];

/** CPU milliseconds for a tenth of a text and for all of it. */
export type Growth = { name: string; smallMs: number; largeMs: number };

const largeChars = 1_000_000;
const tries = 3;

/** The least of some tries each: what is more is the machine's other work, or the compiler's. */
export function growthOfShapes(look: (text: string) => void, progress: (line: string) => void): Growth[] {
  progress(`looking at ${shapes.length} hostile shapes`);
  return shapes.map((shape) => {
    const [small, large] = [textOf(shape, largeChars / 10), textOf(shape, largeChars)];
    return { name: shape.name, smallMs: leastMs(() => look(small)), largeMs: leastMs(() => look(large)) };
  });
}

function leastMs(work: () => void): number {
  return Math.min(...Array.from({ length: tries }, () => cpuSecondsOf(work) * 1000));
}

function textOf(shape: Shape, length: number): string {
  if ('unit' in shape) return shape.unit.repeat(Math.ceil(length / shape.unit.length)).slice(0, length);
  const random = seededRandom(1);
  const chars = Array.from({ length }, () => shape.alphabet.charAt(Math.floor(random() * shape.alphabet.length)));
  return chars.join('');
}
