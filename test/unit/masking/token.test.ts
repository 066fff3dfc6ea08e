import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isToken, Tokens } from '../../../extproc/masking/token.ts';

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
