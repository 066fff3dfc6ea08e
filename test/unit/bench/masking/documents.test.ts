import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatedDocuments, withLuhn } from '../../../bench/masking/documents.ts';
import { findIn } from '../../../bench/masking/ours.ts';

test('a seed gives the same documents again, of the size asked for, and another seed gives others', () => {
  const documents = generatedDocuments(1, 5, 10_000);
  assert.deepEqual(documents, generatedDocuments(1, 5, 10_000));
  assert.notDeepEqual(documents, generatedDocuments(2, 5, 10_000));
  for (const document of documents) assert.equal(Buffer.byteLength(document), 10_000);
});

test('documents hold personal data and secrets, and more that is neither', () => {
  const documents = generatedDocuments(3, 20, 10_000);
  const found = documents.flatMap(findIn);
  const types = new Set(found.map(({ type }) => type));
  for (const type of ['EMAIL_ADDRESS', 'CREDIT_CARD', 'PHONE_NUMBER', 'IP_ADDRESS', 'US_SSN', 'SECRET']) {
    assert.ok(types.has(type), type);
  }
  const covered = found.reduce((sum, { start, end }) => sum + end - start, 0);
  assert.ok(covered < 200_000 / 10, `${covered} of 200000 characters`);
});

test('card numbers have their check digit', () => {
  assert.equal(withLuhn('411111111111111'), '4111111111111111');
  assert.equal(withLuhn('7992739871'), '79927398713');
});
