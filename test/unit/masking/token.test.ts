import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { type FindingType, findingTypes, plainTypes } from '../../../extproc/masking/finding.ts';
import { Masker } from '../../../extproc/masking/masker.ts';
import { hashedTokensIn, isToken, Tokens, typeOfToken } from '../../../extproc/masking/token.ts';
import { usualTreatment } from '../../../extproc/masking/treatment.ts';

const tokens = new Tokens(new Uint8Array(32).fill(7));

test('a token has the type and 64 bits of hash; types with few values never have a hash', () => {
  assert.match(tokens.token('EMAIL', 'jane@example.com', 's1'), /^\[EMAIL:[0-9a-f]{16}\]$/);
  for (const type of ['SSN', 'CARD', 'PHONE'] as const) assert.equal(tokens.token(type, '123', 's1'), `[${type}]`);
});

test('the same value in another spelling has the same token within a scope, and another one in another scope', () => {
  const same: ['EMAIL' | 'IBAN' | 'PEM' | 'IP', string, string][] = [
    ['EMAIL', 'Jane@Example.com', 'jane%40example.com'],
    ['EMAIL', 'j\u200bane@example.com', 'jane@example.com'],
    ['IBAN', 'DE89 3704 0044 0532 0130 00', 'de89370400440532013000'],
    ['IP', '2001:DB8::1', '2001:db8::1'],
    ['PEM', 'a\\nb', 'a\nb'],
  ];
  for (const [type, a, b] of same) assert.equal(tokens.token(type, a, 's'), tokens.token(type, b, 's'));
  assert.notEqual(tokens.token('SECRET', 'x', 's1'), tokens.token('SECRET', 'x', 's2'));
  assert.notEqual(tokens.token('SECRET', 'x', 's'), tokens.token('SECRET', 'X', 's'));
  assert.notEqual(tokens.token('SECRET', 'x', 's'), tokens.token('IBAN', 'x', 's'));
});

test('scope and value cannot be shifted into each other, and the key decides', () => {
  assert.notEqual(tokens.token('SECRET', 'SECRETb', 'a'), tokens.token('SECRET', 'b', 'aSECRET'));
  const others = new Tokens(new Uint8Array(32).fill(8));
  assert.notEqual(tokens.token('SECRET', 'x', 's'), others.token('SECRET', 'x', 's'));
});

test('a short key is refused', () => {
  assert.throws(() => new Tokens(new Uint8Array(31)), { code: 'key_invalid' });
});

test('a token is known as one, and nothing that only looks like it', () => {
  for (const token of ['[SSN]', '[DEEP]', tokens.token('SECRET', 'x', 's')]) assert.ok(isToken(token), token);
  for (const text of ['[ssn]', '[SSN] ', '[OTHER]', '[EMAIL:123]', '[EMAIL:0123456789abcdeg]', '']) {
    assert.ok(!isToken(text), text);
  }
});

test('a type with few values has no hash whatever the treatment asks for, and nobody is told its values', () => {
  const told: string[] = [];
  const masker = new Masker({ key: new Uint8Array(32).fill(7) });
  const scopes = new Map(findingTypes.map((type) => [type, 'all']));
  const treatment = { ...usualTreatment(), plain: new Set<FindingType>(), scopes };
  const text =
    'card 4111 1111 1111 1111, SSN 536-90-4399, call +49 30 901820, born 12.03.1985, NHS number 943 476 5919, a@example.org';
  const { value } = masker.json(
    { text },
    { scope: 's', treatment, onToken: (type, found, token) => told.push(`${type} ${found} ${token}`) },
  );
  for (const type of ['CARD', 'SSN', 'PHONE', 'BIRTH_DATE', 'NATIONAL_ID'])
    assert.ok(value.text.includes(`[${type}]`), type);
  assert.deepEqual(told, [`EMAIL a@example.org ${tokens.token('EMAIL', 'a@example.org', 'all')}`]);
  for (const type of plainTypes) assert.equal(tokens.token(type, 'x', 'all'), `[${type}]`);
});

test('a hash is the beginning of an HMAC-SHA256 over scope, type and value, 64 bits of it', () => {
  const hex = createHmac('sha256', new Uint8Array(32).fill(7)).update('0:1:sEMAIL:a@example.org').digest('hex');
  assert.equal(tokens.token('EMAIL', 'a@example.org', 's'), `[EMAIL:${hex.slice(0, 16)}]`);
});

test('tokens in a text are found each once, those without a hash not', () => {
  const [one, two] = [tokens.token('EMAIL', 'a@example.org', 's'), tokens.token('IP', '192.0.2.7', 's')];
  assert.deepEqual(hashedTokensIn(`${two}[CARD][[${one} ${two} [EMAIL:0] [x:0123456789abcdef]`), [two, one]);
  assert.deepEqual(hashedTokensIn('['.repeat(100_000)), []);
  const own = '[TEAM_2:0123456789abcdef]';
  assert.deepEqual([hashedTokensIn(`x${own}`), typeOfToken(own)], [[own], 'TEAM_2']);
  assert.deepEqual(
    [typeOfToken(one), typeOfToken('[NATIONAL_ID]'), typeOfToken('EMAIL')],
    ['EMAIL', 'NATIONAL_ID', undefined],
  );
});
