import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Masker } from '../../../extproc/masking/masker.ts';
import { trusted } from '../../../extproc/masking/trusted.ts';
import { fill } from './fill.ts';

const key = new Uint8Array(32).fill(1);
const masker = new Masker({ key });
const options = { scope: 's' };
const githubToken = fill('ghp_<a36>');

test('text comes back masked, with a count for each type', () => {
  const { value, findings } = masker.text('jane@example.com, joe@example.com, 123-45-6789', 's');
  assert.match(value, /^\[EMAIL:[0-9a-f]{16}\], \[EMAIL:[0-9a-f]{16}\], \[SSN\]$/);
  assert.deepEqual(findings, [
    { type: 'EMAIL', count: 2 },
    { type: 'SSN', count: 1 },
  ]);
  assert.deepEqual(masker.text('nothing here', 's'), { value: 'nothing here', findings: [] });
});

test('every string and every key of a document is masked; the input is not changed', () => {
  const input = {
    messages: [{ role: 'user', text: 'I am jane@example.com' }],
    'jane@example.com': { n: 1, t: true, z: null },
  };
  const before = structuredClone(input);
  const { value } = masker.json(input, options);
  assert.deepEqual(input, before);
  const text = JSON.stringify(value);
  assert.ok(!text.includes('jane'));
  assert.match(
    text,
    /^\{"messages":\[\{"role":"user","text":"I am \[EMAIL:.{16}\]"\}\],"\[EMAIL:.{16}\]":\{"n":1,"t":true,"z":null\}\}$/,
  );
});

test('a key name that tells of a secret masks its value, in arrays as well, but not counts of tokens', () => {
  for (const name of [
    'password',
    'token',
    'api_key',
    'secret',
    'authorization',
    'client_secret',
    'accessToken',
    'AWS_SECRET_ACCESS_KEY',
    'x-api-key',
  ]) {
    const { value } = masker.json({ [name]: 'x', list: { [name]: ['y'] } }, options);
    assert.doesNotMatch(JSON.stringify(value), /"[xy]"/, name);
  }
  assert.deepEqual(masker.json({ password: 123456, token: 5 }, options).value, {
    ...masker.json({ password: '123456' }, options).value,
    token: 5,
  });
  const harmless = { max_tokens: '5', next_page_token: 'abc', password: { type: 'string' }, compass: 'n', token: '' };
  assert.deepEqual(masker.json(harmless, options).value, harmless);
});

test('the name that an object gives its value is context for it, in documents and in JSON within strings', () => {
  const pairs = [
    { name: 'DB_PASSWORD', value: 'correct' },
    { key: 'x-api-key', value: 'abc', enabled: true },
    { label: 'Date of birth', value: '1980-01-31' },
    { Name: 'mobile', Value: '34 43 06 09' },
    { question: 'NHS number', answer: '6504354502' },
  ];
  const wanted = ['SECRET', 'SECRET', 'BIRTH_DATE', 'PHONE', 'NATIONAL_ID'];
  const { value, findings } = masker.json({ pairs, text: JSON.stringify(pairs) }, options);
  const text = JSON.stringify(value);
  for (const hidden of ['correct', 'abc', '1980', '34 43', '6504354502']) assert.ok(!text.includes(hidden), text);
  assert.deepEqual(
    findings.map(({ type, count }) => [type, count]).sort(),
    [...new Set(wanted)].map((type) => [type, type === 'SECRET' ? 4 : 2]).sort(),
  );
  const harmless = [
    { name: 'PORT', value: '8080' },
    { name: 'max_tokens', value: '4096' },
    { name: 'password', type: 'string' },
    { value: '34 43 06 09', name: 'sizes' },
  ];
  assert.deepEqual(masker.json(harmless, options).value, harmless);
});

test('a national id and a date of birth are found in numbers as in strings', () => {
  const numbers = {
    cpf: 52998224725,
    nhsNumber: 6504354502,
    aadhaar: 513621074983,
    bsn: 852175322,
    birthDate: 19540522,
  };
  const { value } = masker.json({ ...numbers, text: JSON.stringify(numbers) }, options);
  assert.doesNotMatch(JSON.stringify(value), /\d/);
  const plain = { count: 52998224725, total: 6504354502, date: 19540522 };
  assert.deepEqual(masker.json(plain, options).value, plain);
});

test('numbers that are cards, or that a key name gives away, become strings', () => {
  const { value, findings } = masker.json(
    { a: 4111111111111111, b: [5555555555554444], ssn: 123456789, phone: 4155552671 },
    options,
  );
  assert.deepEqual(value, { a: '[CARD]', b: ['[CARD]'], ssn: '[SSN]', phone: '[PHONE]' });
  assert.equal(findings.find(({ type }) => type === 'CARD')?.count, 2);
  const plain = { at: 1732299000123, size: 4111111111111112, ratio: 0.4111111111111111, big: 1e21 };
  assert.deepEqual(masker.json(plain, options).value, plain);
});

test('JSON in strings of JSON is masked at every depth, and all but the findings stays as written', () => {
  let nested = `{ "note":"${githubToken}" ,"password":"x","n":4111111111111111, "id": 12345678901234567890 }`;
  for (let depth = 0; depth < 6; depth++) {
    const { value } = masker.json({ input: nested }, options);
    const text = JSON.stringify(value);
    assert.ok(!text.includes(githubToken) && !text.includes('4111111111111111'), `depth ${depth}`);
    assert.ok(text.includes('12345678901234567890'));
    nested = JSON.stringify({ inner: nested });
  }
  const text = '{"a":1,\n "a":2, "b":"\\ud800", "c": 12345678901234567890}';
  assert.equal(masker.text(text, 's').value, text);
  assert.equal(
    masker.text('{"password": "x", "a": [1]}', 's').value.replace(/:.{16}\]/, ']'),
    '{"password": "[SECRET]", "a": [1]}',
  );
});

test('JSON that was cut off is still read with its key names', () => {
  assert.doesNotMatch(masker.text('{"user":"joe","password":"correct horse batt', 's').value, /correct|batt/);
  assert.doesNotMatch(masker.text('{"user":"joe","password":"correct\\u00', 's').value, /correct/);
});

test('exempt strings stay; the path names their place', () => {
  const paths: string[] = [];
  const input = { id: 'jane@example.com', list: [{ signature: 'joe@example.com' }], text: 'jim@example.com' };
  const { value } = masker.json(input, {
    scope: 's',
    exempt: (path) => {
      paths.push(path.join('.'));
      return path[0] === 'id' || path.at(-1) === 'signature';
    },
  });
  assert.equal(value.id, input.id);
  assert.deepEqual(value.list, input.list);
  assert.notEqual(value.text, input.text);
  assert.deepEqual(paths, ['id', 'list.0.signature', 'text']);
});

test('a key that becomes one that stood before it is kept beside it', () => {
  const masked = masker.json({ '[SSN]': 1, note: 2, '123-45-6789': 3 }, { scope: 's' }).value;
  assert.deepEqual(masked, { '[SSN]': 1, note: 2, '[SSN]#2': 3 });
});

test('keys that become the same are all kept', () => {
  const input = { '123-45-6789': 1, '[SSN]': 2, '531-21-7351': 3, '[SSN]#2': 4, '123-45-6788': 5 };
  const { value } = masker.json(input, options);
  assert.deepEqual(Object.values(value).sort(), [1, 2, 3, 4, 5]);
  assert.doesNotMatch(JSON.stringify(value), /\d{3}-\d{2}/);
  const { value: text } = masker.text(JSON.stringify(input), 's');
  assert.deepEqual(Object.values(JSON.parse(text)).sort(), [1, 2, 3, 4, 5]);
});

test('a key named __proto__ stays a key and changes no prototype', () => {
  const input = JSON.parse('{"__proto__":{"polluted":"jane@example.com"},"constructor":{"prototype":"x"}}');
  const { value } = masker.json(input, options);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.match(
    JSON.stringify(value),
    /^\{"__proto__":\{"polluted":"\[EMAIL:.{16}\]"\},"constructor":\{"prototype":"x"\}\}$/,
  );
  assert.equal(({} as { polluted?: string }).polluted, undefined);
});

test('nesting ten thousand deep ends in [DEEP], also inside a string', () => {
  const text = `${'[{"a":'.repeat(10_000)}"jane@example.com"${'}]'.repeat(10_000)}`;
  const { value, findings } = masker.json(JSON.parse(text), options);
  assert.match(JSON.stringify(value), /"\[DEEP\]"/);
  assert.deepEqual(findings, [{ type: 'DEEP', count: 1 }]);
  assert.doesNotMatch(masker.text(text, 's').value, /jane/);
});

test('what is no JSON value, and a detector that throws, is masking_failed without a word of the text', () => {
  const broken = new Masker({
    key,
    scan: (text) => {
      throw new RangeError(`cannot read ${text}`);
    },
  });
  const attempts = [
    () => broken.text('my secret text', 's'),
    () => broken.json({ a: ['my secret text'] }, options),
    () => masker.json({ at: new Date(0) as never }, options),
    () => masker.json({ big: 10n as never }, options),
  ];
  for (const attempt of attempts) {
    assert.throws(attempt, (thrown: Error & { code?: string }) => {
      assert.equal(thrown.code, 'masking_failed');
      assert.doesNotMatch(`${thrown.message} ${String(thrown.cause)}`, /secret text/);
      return true;
    });
  }
});

test('a detector that never comes to rest has its text replaced as a whole', () => {
  const restless = new Masker({ key, scan: () => [{ type: 'IP', rule: 'x', start: 0, end: 1, score: 1 }] });
  assert.match(restless.text('abc', 's').value, /^\[SECRET:[0-9a-f]{16}\]$/);
});

test('trusted takes constants of the source and no data', () => {
  assert.equal(trusted`no text`, 'no text');
  const data = ['text of a caller'];
  assert.throws(() => trusted(data as unknown as TemplateStringsArray), { code: 'internal' });
  const withSubstitution = trusted as (strings: TemplateStringsArray, ...values: string[]) => string;
  assert.throws(() => withSubstitution`a ${'b'} c`, { code: 'internal' });
});
