import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromCodePoints, placesOf, quality, type Span, typeOf } from '../../../bench/masking/quality.ts';

const span = (start: number, end: number, type: string): Span => ({ start, end, type });
const text = 'x'.repeat(100);
const labelled = (...spans: Span[]) => ({ id: 'a', text, spans });

test('a span counts as exact by place and type, as covered by its characters, and as right by its overlap', () => {
  const texts = [labelled(span(0, 10, 'URL'), span(20, 30, 'URL'), span(40, 50, 'US_SSN'))];
  const found = [[span(0, 10, 'URL'), span(20, 25, 'PHONE_NUMBER'), span(25, 31, 'URL'), span(60, 70, 'US_SSN')]];
  assert.deepEqual(quality(texts, found), {
    types: [
      { type: 'PHONE_NUMBER', labelled: 0, exact: 0, covered: 0, found: 1, right: 0 },
      { type: 'URL', labelled: 2, exact: 1, covered: 2, found: 2, right: 2 },
      { type: 'US_SSN', labelled: 1, exact: 0, covered: 0, found: 1, right: 0 },
    ],
    without: 0,
    clean: 0,
  });
});

test('a gap of one character leaves a span uncovered', () => {
  const { types } = quality([labelled(span(0, 10, 'URL'))], [[span(6, 12, 'URL'), span(0, 5, 'URL')]]);
  assert.deepEqual(types, [{ type: 'URL', labelled: 1, exact: 0, covered: 0, found: 2, right: 2 }]);
});

test('texts without a label are clean when nothing is found in them', () => {
  const { without, clean } = quality([labelled(), labelled(), labelled(span(0, 1, 'URL'))], [[], [span(0, 5, 'URL')]]);
  assert.deepEqual({ without, clean }, { without: 2, clean: 1 });
});

test('the names of rules and of private keys mean secrets, other labels stay', () => {
  assert.deepEqual(['aws-access-token', 'PRIVATE_KEY', 'SECRET', 'DOMAIN', 'PERSON'].map(typeOf), [
    'SECRET',
    'SECRET',
    'SECRET',
    'URL',
    'PERSON',
  ]);
});

test('offsets in code points become offsets in UTF-16', () => {
  const wide = '📎 a@b.example';
  assert.deepEqual(fromCodePoints(wide, [[2, 13, 'EMAIL_ADDRESS']]), [span(3, 14, 'EMAIL_ADDRESS')]);
  assert.equal(wide.slice(3, 14), 'a@b.example');
});

test('a secret that is only named has a span everywhere it stands', () => {
  assert.deepEqual(placesOf('k1 and k1, k2', ['k1', 'k1', 'k2', '']), [
    span(0, 2, 'SECRET'),
    span(7, 9, 'SECRET'),
    span(11, 13, 'SECRET'),
  ]);
});
