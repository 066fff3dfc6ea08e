import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessInput, recordInput, requestInput } from '../../../extproc/policy/input.ts';
import {
  accessDocument,
  accessVariants,
  recordDocument,
  recordVariants,
  requestDocument,
  requestVariants,
} from '../../policy/documents.ts';

test('the documents that the tests judge are documents of these schemas', () => {
  for (const document of accessVariants()) assert.deepEqual(accessInput.parse(document), document);
  for (const document of requestVariants()) assert.deepEqual(requestInput.parse(document), document);
  for (const document of recordVariants()) assert.deepEqual(recordInput.parse(document), document);
});

test('a document of one decision is not one of another', () => {
  assert.equal(accessInput.safeParse(requestDocument()).success, false);
  assert.equal(requestInput.safeParse(accessDocument()).success, false);
  assert.equal(requestInput.safeParse(recordDocument()).success, false);
  assert.equal(recordInput.safeParse(requestDocument()).success, false);
});

test('another version, a misspelt field and a negative count are refused', () => {
  const { request } = accessDocument();
  for (const change of [{ version: 2 }, { tiem: '' }, { request: { ...request, content_length: -1 } }]) {
    assert.equal(accessInput.safeParse({ ...accessDocument(), ...change }).success, false, JSON.stringify(change));
  }
});
