import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { describeConfig } from '../../../extproc/config/describe.ts';
import { renderDocument } from '../../../extproc/config/document.ts';

test('docs/configuration.md says what the schema says', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');
  assert.equal(
    page,
    renderDocument(),
    'run: node_modules/.bin/node extproc/config/document.ts > docs/configuration.md',
  );
});

test('every key is explained, and every quantity names the unit that its name ends with', () => {
  const keys = describeConfig();
  assert.ok(keys.length > 20);
  for (const { key, doc, unit } of keys) {
    assert.match(doc, /\.$/, key);
    if (key.endsWith('Bytes')) assert.equal(unit, 'bytes', key);
    if (key.endsWith('Ms')) assert.equal(unit, 'milliseconds', key);
  }
});

test('a required key has no default and an optional one shows its own', () => {
  const defaults = new Map(describeConfig().map((described) => [described.key, described.default]));
  assert.equal(defaults.get('dataDirectory'), null);
  assert.equal(defaults.get('listen.socket'), 'none');
  assert.equal(defaults.get('journal.keyFile'), '<dataDirectory>/keys/journal.key');
  assert.equal(defaults.get('limits.requestBodyMaxBytes'), '67108864');
});
