import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialectOf } from '../../../extproc/claude/dialect.ts';
import { isJsonObject } from '../../../extproc/claude/json.ts';
import { fixtureJson } from './fixture.ts';

function from(headers: Record<string, string>, query = '') {
  return dialectOf((name) => headers[name], query);
}

test('Claude Code speaks the old dialect with its betas and beta=true', () => {
  const recorded = fixtureJson('i_claude_p_headers.json');
  assert.ok(isJsonObject(recorded) && Array.isArray(recorded.headers) && typeof recorded.path === 'string');
  const headers = Object.fromEntries(
    recorded.headers.map((pair) => [String((pair as string[])[0]).toLowerCase(), String((pair as string[])[1])]),
  );
  const dialect = from(headers, recorded.path.split('?')[1]);
  assert.equal(dialect.dialect, '2023-06-01');
  assert.equal(dialect.betaQuery, true);
  assert.equal(dialect.betas.length, 8);
  assert.equal(dialect.betas[0], 'claude-code-20250219');
});

test('the new dialect needs no beta', () => {
  assert.deepEqual(from({ 'anthropic-version': '2026-10-21' }), {
    version: '2026-10-21',
    dialect: '2026-10-21',
    betas: [],
    betaQuery: false,
  });
});

test('another version, or none, is another dialect', () => {
  assert.deepEqual(from({ 'anthropic-version': '2027-01-01' }).dialect, 'other');
  assert.deepEqual(from({ 'anthropic-version': '2027-01-01' }).version, '2027-01-01');
  assert.deepEqual(from({}), { version: '', dialect: 'other', betas: [], betaQuery: false });
  assert.equal(from({ 'anthropic-version': 'x'.repeat(65) }).version, '');
  assert.equal(from({ 'anthropic-version': 'a\u0000b' }).version, '');
});

test('betas are split at commas, trimmed, unique, and bounded in length; none hides behind many', () => {
  assert.deepEqual(from({ 'anthropic-beta': ' a, b,,a ,c\u0007, d' }).betas, ['a', 'b', 'd']);
  const many = Array.from({ length: 1000 }, (_, at) => `beta-${at}`).join(',');
  assert.equal(from({ 'anthropic-beta': many }).betas.length, 1000);
  assert.deepEqual(from({ 'anthropic-beta': 'x'.repeat(129) }).betas, []);
});

test('only beta=true as a whole parameter counts', () => {
  assert.equal(from({}, 'limit=1&beta=true').betaQuery, true);
  for (const query of ['', 'beta=false', 'xbeta=true', 'beta=true2', 'beta'])
    assert.equal(from({}, query).betaQuery, false);
});
