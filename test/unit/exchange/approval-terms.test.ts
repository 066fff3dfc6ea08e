import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stricterTerms } from '../../../extproc/exchange/approval-terms.ts';
import { bothOf } from '../../../extproc/exchange/verdicts.ts';
import { type ApprovalTermsDocument, approvalTerms } from '../../../extproc/policy/approval-list.ts';

const loose: ApprovalTermsDocument = {
  ...{ approvers: ['staff'], quorum: 1, open_minutes: 90, grant_minutes: 90, risk: 'low' },
  scopes: ['request', 'session', 'skill'],
};
const strict: ApprovalTermsDocument = {
  ...{ approvers: ['owners'], quorum: 3, open_minutes: 10, grant_minutes: 5, risk: 'high' },
  scopes: ['session'],
};
const both: ApprovalTermsDocument = {
  ...{ approvers: ['staff', 'owners'], approver_lists: [['staff'], ['owners']], quorum: 3 },
  ...{ open_minutes: 10, grant_minutes: 5, risk: 'high', scopes: ['session'] },
};

test('what both stages hold takes the stricter of each, and approvers of both', () => {
  assert.deepEqual(stricterTerms(loose, strict), both);
  const { approvers, approver_lists: lists, ...rest } = stricterTerms(strict, loose) ?? both;
  assert.deepEqual([[...approvers].sort(), lists?.length, rest.quorum], [['owners', 'staff'], 2, 3]);
});

test('scopes that have nothing in common leave the request alone, and approvers that are the same stay one list', () => {
  const terms = stricterTerms({ ...loose, scopes: ['skill'] }, { ...strict, approvers: ['staff'] });
  assert.deepEqual(terms?.scopes, ['request']);
  assert.equal(terms?.approver_lists, undefined);
});

test('where one stage holds, its terms count', () => {
  assert.deepEqual(stricterTerms(undefined, strict), strict);
  assert.deepEqual(stricterTerms(loose, undefined), loose);
  assert.equal(stricterTerms(undefined, undefined), undefined);
});

test('a hold of access does not loosen what request holds', () => {
  const reasons = [{ rule: 'a', message: 'm' }];
  const hold = (approval: ApprovalTermsDocument) => ({ verdict: 'hold' as const, reasons, approval });
  assert.equal(bothOf(hold(approvalTerms.parse({})), hold(strict)).approval?.quorum, 3);
});
