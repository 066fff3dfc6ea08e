import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../extproc/masking/json-value.ts';
import { marginChars } from '../../../extproc/masking/long-text.ts';
import { Masker } from '../../../extproc/masking/masker.ts';
import { scan } from '../../../extproc/masking/scan.ts';
import { secretRules } from '../../../extproc/masking/secret.ts';
import { fill } from './fill.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
console.log(`long text: FC_SEED=${seed}`);
const masker = new Masker({ key: new Uint8Array(32).fill(3) });
const textMaxChars = 3_048;
const half = 1_500;
const limits = { textMaxChars, allMaxChars: 10_000_000 };
const options = { scope: 's', limits };
const leftOut = /\n\[\.\.\. (\d+) characters \.\.\.\]\n/;

const key = `-----BEGIN PRIVATE KEY-----\n${fill('<a64>\n').repeat(60)}-----END PRIVATE KEY-----`;
const secrets = [
  ...secretRules.filter((rule) => !rule.valueOnly).flatMap((rule) => rule.hit.map(fill)),
  ...['jane.doe@example.com', '4111 1111 1111 1111', 'DE89 3704 0044 0532 0130 00', '203.0.113.77'],
  ...['password="hunter2-Xk9"', 'https://joe:Secr3tPass@host/', key, Buffer.from(key).toString('base64')],
  ...[`sk-ant-api03-${fill('<w90>')}`, `eyJhbGciOiJIUzI1NiJ9.${fill('<w900>')}.${fill('<w40>')}`],
];

function headAndTail(masked: string): [string, string] {
  const [head = '', , tail = ''] = masked.split(leftOut);
  return [head, tail];
}

const filler = (chars: number) => 'so it goes on, word by word, '.repeat(Math.ceil(chars / 29)).slice(0, chars);

test('what is kept of a long text is what masking all of it would have kept, wherever a secret stands', () => {
  const piece = fc.oneof(
    fc.constantFrom(...secrets),
    fc.string({ maxLength: 20 }),
    fc.constantFrom(' ', '\n', '"', '='),
  );
  const pieces = fc.array(piece, { minLength: 1, maxLength: 8 }).map((all) => all.join(' '));
  const border = fc.integer({ min: -400, max: 400 });
  fc.assert(
    fc.property(pieces, pieces, border, border, fc.integer({ min: 1, max: 30_000 }), (first, last, a, b, more) => {
      const beginning = filler(Math.max(0, half - (first.length >> 1) + a)) + first;
      const end = last + filler(Math.max(0, half - (last.length >> 1) + b));
      const text = `${beginning} ${filler(2 * marginChars + textMaxChars + more)} ${end}`;
      const { value: whole } = masker.json(text as string, { scope: 's' });
      const { value, isCut } = masker.json(text as string, options);
      assert.ok(isCut && value.length <= textMaxChars);
      const [head, tail] = headAndTail(value);
      assert.ok(head.length > 20 && tail.length > 20);
      assert.ok(whole.startsWith(head), 'the head');
      assert.ok(whole.endsWith(tail), 'the tail');
    }),
    { seed, numRuns: 150 },
  );
});

test('each kind of secret at each place around each cut leaves no part of it readable', () => {
  const length = textMaxChars + 2 * marginChars + 5_000;
  const cuts = [half, half + marginChars, length - half - marginChars, length - half];
  for (const secret of secrets) {
    // Of what comes first and last in a secret the whole of it is recognised by.
    const ends = [secret.slice(0, 40), secret.slice(-12)].filter((end) => end.length >= 12);
    for (const cut of cuts) {
      for (const share of [0, 0.1, 0.5, 0.9, 1]) {
        const at = Math.max(1, Math.min(length - secret.length, cut - Math.floor(secret.length * share)));
        const text = `${filler(at - 1)} ${secret} ${filler(length - at - secret.length)}`;
        const { value } = masker.json(text as string, options);
        for (const end of ends) assert.ok(!value.includes(end), `${secret.slice(0, 20)} at ${at} with cut ${cut}`);
      }
    }
  }
});

test('a run that began before the margin of a tail is not shown: it may be the end of a key', () => {
  const text = `${filler(40_000)} sk-ant-api03-${fill('<w100>').repeat(1_000)} the end`;
  const [, tail] = headAndTail(masker.json(text as string, options).value);
  assert.equal(tail, ' the end');
});

test('JSON in a long text is masked by its keys on both sides of what is left out', () => {
  const notes = Array.from({ length: 4_000 }, (_, at) => ({ note: `number ${at}`, password: 'correct horse' }));
  const text = JSON.stringify(notes);
  const { value, isCut } = masker.json(text as string, options);
  assert.ok(isCut);
  assert.ok(!value.includes('horse'));
  const whole = masker.json(text as string, { scope: 's' }).value;
  const [head, tail] = headAndTail(value);
  assert.ok(whole.startsWith(head) && head.length === half);
  assert.ok(whole.endsWith(tail) && tail.length === half);
});

test('a secret string of JSON that reaches over a cut is masked as a whole', () => {
  const value = 'tell nobody about it '.repeat(6_000);
  for (const text of [
    JSON.stringify({ password: value }),
    JSON.stringify({ first: filler(1_490), password: value, last: filler(1_400) }),
    JSON.stringify({ first: filler(100_000), password: value.slice(0, 3_000), last: filler(10) }),
  ]) {
    const masked = masker.json(text as string, options).value;
    assert.ok(!masked.includes('nobody'), masked.slice(0, 100));
  }
});

test('beyond all that is kept of a document texts and keys are left out, and nothing is masked for it', () => {
  let scanned = 0;
  const counting = new Masker({
    key: new Uint8Array(32).fill(3),
    scan: (text, keyName, budget) => {
      scanned += text.length;
      return scan(text, keyName, budget);
    },
  });
  const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`key ${at}`, 'x '.repeat(500)]));
  const small = { scope: 's', limits: { textMaxChars, allMaxChars: 100_000 } };
  const { value, isCut } = counting.json(many as { [key: string]: JsonValue }, small);
  assert.ok(isCut);
  assert.ok(scanned <= 100_000, `${scanned}`);
  const entries = Object.entries(value as { [key: string]: JsonValue });
  assert.equal(entries.length, 2_000);
  assert.equal(entries[0]?.[1], 'x '.repeat(500));
  assert.equal(entries.at(-1)?.[1], '[... 1000 characters ...]');
});

test('a long text costs no more than what is kept of it and its margins', () => {
  let longest = 0;
  const counting = new Masker({
    key: new Uint8Array(32).fill(3),
    scan: (text, keyName, budget) => {
      longest = Math.max(longest, text.length);
      return scan(text, keyName, budget);
    },
  });
  counting.json('a%41b '.repeat(2_000_000) as string, options);
  assert.ok(longest <= half + marginChars);
});
