import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('how long an answer may wait for a slow disk is said where limits are explained, as Envoy is configured', () => {
  const found: string[] = [];
  JSON.stringify(parse(read('envoy/envoy.yaml'), { merge: true }), (key, value: unknown) => {
    if (key === 'message_timeout') found.push(String(value));
    return value;
  });
  assert.deepEqual([...new Set(found)], ['30s']);
  assert.match(read('docs/configuration.md'), /Envoy's `message_timeout` \(30 s\)/);
});
