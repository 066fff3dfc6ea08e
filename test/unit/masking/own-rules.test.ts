import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OwnRule } from '../../../extproc/masking/detector-list.ts';
import type { FindingType } from '../../../extproc/masking/finding.ts';
import type { JsonValue } from '../../../extproc/masking/json-value.ts';
import { Masker } from '../../../extproc/masking/masker.ts';
import { detectionOf } from '../../../extproc/masking/own-detection.ts';
import { treatmentFor, usualTypesWith } from '../../../extproc/masking/treatment.ts';
import { ownList, ownNames, ownRule } from './own-list.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
console.log(`own rules: FC_SEED=${seed}`);
const key = new Uint8Array(32).fill(3);

function masked(text: string, list = ownList({ rules: [ownRule()] })): string {
  return new Masker({ key, detection: detectionOf(list) }).text(text, 's').value;
}

const withRule = (more: Partial<OwnRule>) => ownList({ rules: [ownRule(more)] });

test('what a rule finds is masked under its type, which has no hash', () => {
  assert.equal(masked('about TCK-12345 and TCK-1'), 'about [TICKET] and TCK-1');
});

test('a type whose values cannot be guessed has a token with a hash, if the list says so', () => {
  const list = ownList({ rules: [ownRule()], hashed_types: ['TICKET'] });
  assert.match(masked('TCK-12345 TCK-12345 TCK-54321', list), /^(\[TICKET:[0-9a-f]{16}\]) \1 \[TICKET:(?!.*\1).*\]$/);
});

test('a rule may give a built-in type, which is then what it always is', () => {
  assert.match(masked('TCK-12345', withRule({ type: 'SECRET' })), /^\[SECRET:[0-9a-f]{16}\]$/);
  assert.equal(masked('TCK-12345', withRule({ type: 'SSN' })), '[SSN]');
});

test('a value is found disguised, in JSON, as a key of it, as a number and in base64', () => {
  const list = ownList({
    rules: [ownRule(), ownRule({ id: 'number', type: 'STAFF', pattern: '\\b77[0-9]{3}\\b' })],
    names: [ownNames(['Falcon Nine'], { type: 'PROJECT' })],
  });
  assert.equal(masked('TCK\u200b-12345 and TCK%2D12345, Falcon\u00a0Nine', list), '[TICKET] and [TICKET], [PROJECT]');
  const json = JSON.stringify({ staff: 77123, 'TCK-12345': JSON.stringify(['falcon-nine', 77, 1.5]) });
  assert.deepEqual(JSON.parse(masked(json, list)), {
    staff: '[STAFF]',
    '[TICKET]': '["[PROJECT]", 77, 1.5]'.replaceAll(', ', ','),
  });
  assert.equal(masked(Buffer.from('this is about the ticket TCK-12345').toString('base64'), list), '[TICKET]');
});

test('of a pattern with a group only what the group took is masked', () => {
  assert.equal(
    masked('badge no. 4711, room 4711', withRule({ pattern: 'badge no\\. ([0-9]{4})' })),
    'badge no. [TICKET], room 4711',
  );
});

test('context words, a key that holds one, the validator and case decide as the rule says', () => {
  const context = withRule({ pattern: '\\b[0-9]{5}\\b', context: ['staff no', 'Personalnummer'] });
  assert.equal(masked('Staff No: 12345', context), 'Staff No: [TICKET]');
  assert.equal(masked('12345 is the personalnummer', context), '[TICKET] is the personalnummer');
  assert.equal(masked('{"staffNo": "12345", "zip": "12345"}', context), '{"staffNo": "[TICKET]", "zip": "12345"}');
  assert.equal(masked('order 12345', context), 'order 12345');
  const luhn = withRule({ pattern: '\\b[0-9]{6}\\b', validator: 'luhn' });
  assert.equal(masked('123455 123456', luhn), '[TICKET] 123456');
  assert.equal(masked('tck-12345', withRule({ ignore_case: true })), '[TICKET]');
  assert.equal(masked('tck-12345'), 'tck-12345');
});

test('offsets count UTF-16 units also behind characters of two', () => {
  assert.equal(masked('😀é TCK-12345 😀'), '😀é [TICKET] 😀');
});

test('a type of an operator can be off, plain or linked more widely like a built-in one', () => {
  const detection = detectionOf(
    ownList({
      rules: [ownRule(), ownRule({ id: 'b', type: 'BADGE', pattern: 'BDG-[0-9]{4}' })],
      hashed_types: ['TICKET'],
    }),
  );
  const masker = new Masker({ key, detection });
  const read = (off: readonly string[], scopes: ReadonlyMap<FindingType, string>, scope = 's') => {
    const types = new Set([...usualTypesWith(detection)].filter((type) => !off.includes(type)));
    const treatment = treatmentFor(types, { plain: new Set(), scopes }, detection);
    return (masker.json({ a: 'TCK-12345 BDG-1234' }, { scope, treatment }).value as { a: string }).a;
  };
  assert.match(read(['BADGE'], new Map()), /^\[TICKET:.{16}\] BDG-1234$/);
  assert.match(read(['TICKET'], new Map()), /^TCK-12345 \[BADGE\]$/);
  const all = new Map([['TICKET' as FindingType, '["all"]']]);
  assert.equal(read([], all, 's-1'), read([], all, 's-2'));
  assert.notEqual(read([], new Map(), 's-1'), read([], new Map(), 's-2'));
});

test('own types are counted behind the built-in ones', () => {
  const masker = new Masker({ key, detection: detectionOf(ownList({ rules: [ownRule()] })) });
  assert.deepEqual(masker.text('TCK-12345 ada@example.com TCK-54321', 's').findings, [
    { type: 'EMAIL', count: 1 },
    { type: 'TICKET', count: 2 },
  ]);
});

/** Patterns that fit what tokens are made of, and what stands around them. */
const greedy = ownList({
  rules: [
    ownRule({ id: 'hex', type: 'HEX', pattern: '[0-9a-f]{4,12}' }),
    ownRule({ id: 'word', type: 'WORD_TOKEN_SIZE', pattern: '\\b[A-Z]{2,5}\\b' }),
    ownRule({ id: 'brackets', type: 'BRACKETS', pattern: '\\[[A-Z]{1,9}' }),
    ownRule({ id: 'colon', type: 'EMPLOYEE', pattern: ':[0-9a-f]{2,3}' }),
    ownRule({ id: 'behind', type: 'BEHIND', pattern: '\\] ?[a-z]{1,3}' }),
    ownRule({ id: 'digit', type: 'EMAIL', pattern: '[0-9]' }),
  ],
  names: [
    ownNames(['email', 'ssn', 'x x', 'employee']),
    ownNames(['Ann', '[SSN]', 'a:b'], { id: 'names', type: 'NAME' }),
  ],
  hashed_types: ['HEX', 'BRACKETS'],
});

test('masked text masked again does not change, whatever the rules fit', () => {
  const lists = [greedy, ...greedy.rules.map((rule) => ({ ...greedy, rules: [rule] }))];
  const piece = fc.oneof(
    fc.constantFrom(
      '[EMAIL:0123456789abcdef]',
      '[SSN]',
      '[HEX]',
      '[EMPLOYEE]',
      'ada@example.com',
      'Ann',
      'x x',
      ' ',
      ']',
      '[',
    ),
    fc.constantFrom(
      'password=',
      '"',
      ':ab',
      '] abc',
      '42',
      'EMAIL',
      'deadbeef',
      '4111 1111 1111 1111',
      '%40',
      '\u200b',
      '\n',
    ),
    fc.string({ maxLength: 5 }),
  );
  const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
  const value = fc.oneof(
    text,
    fc.integer(),
    fc.dictionary(text, text, { maxKeys: 3 }),
    text.map((inner) => JSON.stringify({ inner })),
  );
  const maskers = lists.map((list) => new Masker({ key, detection: detectionOf(list) }));
  fc.assert(
    fc.property(fc.constantFrom(...maskers), value, (masker, input) => {
      const once = masker.json(input as JsonValue, { scope: 's' }).value;
      const again = masker.json(once as JsonValue, { scope: 's' });
      assert.deepEqual(again.value, once);
      assert.deepEqual(again.findings, []);
    }),
    { seed, numRuns: 600 },
  );
});

test('what a rule finds is not readable whatever stands around it', () => {
  const list = ownList({ rules: [ownRule()], names: [ownNames(['Falcon Nine'])] });
  const masker = new Masker({ key, detection: detectionOf(list) });
  const around = fc.array(
    fc.constantFrom(' ', 'x=', '"', '[SSN]', 'ada@example.com', '://', '{', '}', '\\n', '%20', '日'),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(around, fc.constantFrom('TCK-12345', 'Falcon Nine'), around, (before, secret, after) => {
      const text = `${before.join('')} ${secret} ${after.join('')}`;
      assert.ok(!masker.text(text, 's').value.includes(secret));
    }),
    { seed, numRuns: 300 },
  );
});

test('a rule that gives a built-in type makes no type of its own', () => {
  assert.deepEqual(detectionOf(ownList({ rules: [ownRule({ type: 'EMAIL' })] })).types, []);
});

test('texts made to be slow take time that grows with their size alone', () => {
  const rules = [
    ownRule({ id: 'a', pattern: '(?:a{1,40}b|a)' }),
    ownRule({ id: 'b', pattern: '[a-z0-9._]{1,64}@[a-z0-9.]{1,64}\\.[a-z]{2,8}' }),
    ownRule({ id: 'c', pattern: '(?:[a-z]{1,9} ){1,20}x' }),
  ];
  const { scanner } = detectionOf(ownList({ rules, names: [ownNames(['a a a a a a a b', 'a a'])] }));
  for (const unit of ['a', 'a ', 'a@', 'ab', '.']) {
    // Quadratic time would be minutes.
    assert.ok(scanner.usual(unit.repeat(200_000 / unit.length)).length >= 0);
  }
});
