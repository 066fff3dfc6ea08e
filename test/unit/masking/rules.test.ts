import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { givenSecretRules } from '../../../extproc/masking/given-secret-rules.ts';
import { scan } from '../../../extproc/masking/scan.ts';
import { secretRules } from '../../../extproc/masking/secret.ts';
import { vendorValueRules } from '../../../extproc/masking/vendor-value-rules.ts';
import { fill } from './fill.ts';

type Examples = { type: string; hit: string[]; miss: string[] };

const fixtures = new URL('../../fixtures/masking/', import.meta.url);
const examples = JSON.parse(readFileSync(new URL('examples.json', fixtures), 'utf8')) as Record<string, Examples>;

for (const rule of secretRules) {
  test(`vendor rule ${rule.id} finds its positive examples and leaves its negative ones`, () => {
    assert.ok(rule.hit.length > 0 && rule.miss.length > 0);
    for (const example of rule.hit) {
      const text = fill(example);
      const found = scan(`before ${text} after`);
      const end = 'before '.length + text.length;
      const hit = found.find((finding) => finding.type === 'SECRET' && finding.end === end);
      assert.ok(hit, `${example} -> ${JSON.stringify(found)}`);
      assert.equal(hit.rule, rule.id);
    }
    for (const example of rule.miss) {
      const found = scan(`before ${fill(example)} after`);
      assert.deepEqual(
        found.filter((finding) => finding.rule === rule.id),
        [],
        example,
      );
    }
  });
}

for (const [rule, { type, hit, miss }] of Object.entries(examples)) {
  test(`rule ${rule} finds exactly what its positive examples mark and leaves its negative ones`, () => {
    for (const marked of hit) {
      const start = marked.indexOf('«');
      const end = marked.indexOf('»') - 1;
      const text = marked.replace(/[«»]/g, '');
      const found = scan(text).map((finding) => ({
        type: finding.type as string,
        start: finding.start,
        end: finding.end,
      }));
      assert.deepEqual(found, [{ type, start, end }], marked);
    }
    for (const text of miss)
      assert.deepEqual(
        scan(text).filter((finding) => finding.type === type),
        [],
        text,
      );
  });
}

for (const { id, hit, miss } of givenSecretRules) {
  test(`rule ${id} finds exactly the value in its positive examples and nothing in its negative ones`, () => {
    assert.ok(hit.length > 0 && miss.length > 0);
    for (const marked of hit) {
      const start = marked.indexOf('«');
      const found = scan(marked.replace(/[«»]/g, ''));
      assert.deepEqual(
        found.map((finding) => [finding.rule, finding.start, finding.end]),
        [[id, start, marked.indexOf('»') - 1]],
        marked,
      );
    }
    for (const text of miss)
      assert.deepEqual(
        scan(text).filter(({ type }) => type === 'SECRET'),
        [],
        text,
      );
  });
}

test('the argument of an option whose name tells is a secret, of other options it is none', () => {
  const key = fill('<a24>');
  for (const option of ['--token', '--api-key', '--db-password', '--client-secret', '--access_token'])
    for (const text of [`tool ${option} ${key} run`, `tool ${option} "${key}"`, `tool -v ${option}  '${key}'`]) {
      const start = text.indexOf(key);
      assert.deepEqual(
        scan(text).map((finding) => [finding.type, finding.start, finding.end]),
        [['SECRET', start, start + key.length]],
        text,
      );
    }
  for (const text of [
    `tool --token $TOKEN2x1 run`,
    `tool --token-file ${key}`,
    `tool --sort-key ${key}`,
    'tool --password --verbose2 run',
    `the token ${key.slice(0, 6)} is short`,
    'tool --api-key <your-key-123456789>',
  ])
    assert.deepEqual(scan(text), [], text);
});

test('a column called as a secret is one has secrets in its cells', () => {
  for (const [separator, quote] of [
    [',', ''],
    [';', '"'],
    ['\t', ''],
    ['|', ''],
  ] as const) {
    const cell = (value: string): string => `${quote}${value}${quote}`;
    const rows = [
      ['user', 'password', 'id'],
      ['bob', 'hunter2X9', '1'],
      ['amy', 'Mañana2024!', '2'],
      ['eve', '', '3'],
    ];
    const text = rows.map((row) => row.map(cell).join(separator)).join('\n');
    assert.deepEqual(
      scan(text).map(({ type, start, end }) => [type, text.slice(start, end)]),
      [
        ['SECRET', 'hunter2X9'],
        ['SECRET', 'Mañana2024!'],
      ],
      text,
    );
  }
  assert.deepEqual(scan('user,tokens\nbob,120000\namy,13\n'), []);
});

test('of the forms that keys of one vendor have each is matched to its end', () => {
  for (const value of [fill('<h32>'), fill('<h40>'), fill('<l40>')]) {
    const text = `DD_APP_ID=${value}`;
    assert.deepEqual(
      scan(text).map(({ rule, start, end }) => [rule, text.slice(start, end)]),
      [['datadog', value]],
    );
    assert.deepEqual(scan(`8dd12566-49dd-4989-a211-84a5053713d4, commit ${value}`), []);
  }
});

test('a key behind many prefixes in one run is found, and of a run of such prefixes alone nothing', () => {
  const notKeys = ['-sk-aaaaaaaaaaaaaaaaaaaa', `ghp_example${'A'.repeat(27)}`];
  for (const unit of notKeys) {
    assert.deepEqual(scan(unit.repeat(500)), []);
    const key = fill('ghp_<a36>');
    const text = `${unit.repeat(50)}.${key} end`;
    assert.ok(
      scan(text).some(({ start, end }) => start <= text.indexOf(key) && end >= text.indexOf(key) + key.length),
      unit,
    );
  }
  const marked = `${fill('ghp_<a36>').repeat(200)}EXAMPLE`;
  assert.deepEqual(
    scan(marked).map(({ start, end }) => [start, end]),
    [[0, marked.length]],
  );
});

test('of assignments within each other more than anybody writes are masked without a look at each', () => {
  const masked = scan('token=1'.repeat(40));
  assert.ok(masked.some(({ rule }) => rule === 'assignment'));
  assert.deepEqual(scan('token=1'.repeat(3)), []);
});

test('source code without secrets stays as it is', () => {
  assert.deepEqual(scan(readFileSync(new URL('benign-source.txt', fixtures), 'utf8')), []);
});

for (const { id, names, hit } of vendorValueRules) {
  test(`a value of ${id} is found by the name of its vendor, and not without it`, () => {
    const value = fill(hit);
    for (const name of names) {
      for (const text of [
        `${name}_setting = "${value}"`,
        `export ${name.toUpperCase().replaceAll(' ', '_')}_ID=${value}`,
      ]) {
        const found = scan(text).find(({ type, start, end }) => {
          return type === 'SECRET' && text.slice(start, end) === value;
        });
        assert.ok(found, text);
      }
    }
    assert.deepEqual(
      scan(`other setting is ${value}`).filter(({ rule }) => rule === id),
      [],
    );
  });
}

test('a key stays a secret when words follow it in the same run', () => {
  const key = fill('ghp_<a36>');
  for (const words of ['_example', '-dummy', '_xxxxxxxx']) {
    const found = scan(`token ${key}${words} here`);
    assert.ok(
      found.some(({ type, start, end }) => type === 'SECRET' && start <= 6 && end >= 6 + key.length),
      words,
    );
  }
});

test('at least 150 vendors have a rule, and every rule an id of its own', () => {
  const ids = [...secretRules, ...vendorValueRules].map(({ id }) => id);
  assert.ok(ids.length >= 150);
  assert.equal(new Set(ids).size, ids.length);
});
