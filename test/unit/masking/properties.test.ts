import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../extproc/masking/json-value.ts';
import { Masker } from '../../../extproc/masking/masker.ts';
import { scan } from '../../../extproc/masking/scan.ts';
import { secretRules } from '../../../extproc/masking/secret.ts';
import { fill } from './fill.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
console.log(`masking properties: FC_SEED=${seed}`);
const parameters = { seed, numRuns: 300 };
const masker = new Masker({ key: new Uint8Array(32).fill(3) });

/** Long enough, or odd enough, not to stand in a text by chance. */
const secrets = [
  ...secretRules.filter((rule) => !rule.valueOnly).flatMap((rule) => rule.hit.map(fill)),
  'jane.doe@example.com',
  '4111 1111 1111 1111',
  '5555555555554444',
  'DE89 3704 0044 0532 0130 00',
  '+49 151 12345678',
  '123-45-6789',
  '(415) 555-2671',
  '203.0.113.77',
  '2001:db8::8a2e:370:7334',
];
const noise = [
  ' ',
  '\n',
  '"',
  '\\',
  '\\n',
  '\\"',
  '=',
  ':',
  '@',
  '.',
  '-',
  '://',
  '[',
  ']',
  '{',
  '}',
  ',',
  '%40',
  '%',
  '\u200b',
  '\uff11',
  '\ud800',
  '\u2014',
  'password=',
  'token: ',
  'call ',
  'ssn ',
  'x',
  '7',
  '42',
  '1234',
  'Bearer ',
  '[SSN]',
  '[EMAIL:',
  '[EMAIL:0123456789abcdef]',
  'sk-',
  'eyJ',
  '__proto__',
  '-----BEGIN PRIVATE KEY-----',
  'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo',
  'user:',
  'name,phone\n',
  'ssn;id\n',
  '1,',
  'a\tssn\n',
  '222 123 5710\n',
  'a@b.co',
  '123-45-678',
  '00',
  '+',
];
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...noise) },
  { weight: 1, arbitrary: fc.constantFrom(...secrets) },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.integer(),
    fc.constantFrom<JsonValue>(null, true, 4111111111111111),
    text.map((inner) => JSON.stringify({ password: inner, note: [inner] })),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(text, fc.constantFrom('password', 'phone', 'id')), tie('value'), { maxKeys: 4 }),
  ),
})).value;

test('findings lie within the text, in order, apart from each other', () => {
  fc.assert(
    fc.property(text, (input) => {
      let last = 0;
      for (const { start, end, score } of scan(input)) {
        assert.ok(start >= last && end > start && end <= input.length && score > 0 && score <= 1);
        last = end;
      }
    }),
    parameters,
  );
});

test('masked text masked again does not change', () => {
  fc.assert(
    fc.property(text, (input) => {
      const once = masker.text(input, 's').value;
      const again = masker.text(once, 's');
      assert.equal(again.value, once);
      assert.deepEqual(again.findings, []);
    }),
    parameters,
  );
});

test('a masked document masked again does not change', () => {
  fc.assert(
    fc.property(json, (input) => {
      const once = masker.json(input, { scope: 's' }).value;
      assert.deepEqual(masker.json(once as JsonValue, { scope: 's' }).value, once);
    }),
    parameters,
  );
});

test('a secret between spaces is never in the output, as text, as value, as key or in JSON in JSON', () => {
  fc.assert(
    fc.property(text, fc.constantFrom(...secrets), text, (before, secret, after) => {
      fc.pre(!before.includes(secret) && !after.includes(secret));
      const plain = `${before} ${secret} ${after}`;
      const outputs = [
        masker.text(plain, 's').value,
        JSON.stringify(masker.json({ [plain]: [plain] }, { scope: 's' }).value),
        JSON.stringify(masker.json(JSON.stringify({ a: JSON.stringify([plain]) }), { scope: 's' }).value),
      ];
      for (const output of outputs) assert.ok(!output.includes(secret), output);
    }),
    parameters,
  );
});

test('masking keeps as many keys and items as it was given', () => {
  const size = (value: JsonValue): number =>
    typeof value === 'object' && value !== null
      ? Object.values(value).reduce((sum: number, item) => sum + 1 + size(item), 0)
      : 0;
  fc.assert(
    fc.property(json, (input) => {
      assert.equal(size(masker.json(input, { scope: 's' }).value as JsonValue), size(input));
    }),
    parameters,
  );
});

test('ids, hashes and times that systems write are not taken for personal data', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  const time = fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
  const id = fc.oneof(
    fc.uuid(),
    hex(40),
    hex(64),
    time.map((date) => date.toISOString()),
    time.map((date) => String(date.getTime())),
  );
  fc.assert(
    fc.property(id, (value) => {
      assert.deepEqual(scan(`request ${value} was done`), []);
    }),
    parameters,
  );
});
