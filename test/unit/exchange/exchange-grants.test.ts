import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeldGrant } from '../../../extproc/exchange/held-grants.ts';
import { requestBody, requestHeaders } from './frames.ts';
import { createRig, play } from './rig.ts';

const grant: HeldGrant = {
  ...{ id: 'g-1', kind: 'access', skill: null, model: null, untilMs: Date.UTC(2026, 0, 15, 12) },
  ...{ by: ['grace'], reason: 'the release' },
};
const breakGlass: HeldGrant = {
  ...grant,
  id: 'g-2',
  kind: 'break_glass',
  by: ['grace', 'alan'],
  reason: 'incident 42',
};
const reason = (rule: string) => ({ rule, message: 'no' });

function rigWith(held: () => readonly HeldGrant[]) {
  const rig = createRig();
  const used: string[][] = [];
  rig.context.grants = { holding: () => held(), used: (grants) => used.push(grants.map(({ id }) => id)) };
  const decided = () => rig.log.records.flatMap((record) => (record.kind === 'decided' ? [record.decided] : []));
  return { rig, used, decided };
}

const body = '{"model":"claude-opus-5-5","max_tokens":1,"messages":[{"role":"user","content":"x"}]}';

test('policy is told what the caller holds, and the record who gave what lifted a rule, and why', async () => {
  const { rig, used, decided } = rigWith(() => [grant, breakGlass]);
  rig.judge.accessVerdict = () => ({
    ...{ verdict: 'allow', reasons: [] },
    lifted: { grants: ['g-1'], reasons: [reason('access/connection_allowed')] },
  });
  rig.judge.requestVerdict = () => ({
    ...{ verdict: 'allow', reasons: [] },
    lifted: { grants: ['g-2'], reasons: [reason('request/budget')] },
  });
  await play(rig.open(), [requestHeaders(), requestBody(body, true)]);
  assert.deepEqual(rig.judge.accessInputs[0]?.grants, [
    { id: 'g-1', kind: 'access', skill: '', model: '', until: '2026-01-15T12:00:00.000Z' },
    { id: 'g-2', kind: 'break_glass', skill: '', model: '', until: '2026-01-15T12:00:00.000Z' },
  ]);
  const [last] = decided();
  assert.deepEqual(last?.lifted, {
    reasons: [reason('access/connection_allowed'), reason('request/budget')],
    grants: [grant, breakGlass],
  });
  assert.deepEqual(used, [['g-1', 'g-2']], 'and it counts once');
});

test('an exchange keeps the grants that it began with', async () => {
  let held: readonly HeldGrant[] = [grant];
  const { rig } = rigWith(() => held);
  const exchange = rig.open();
  await play(exchange, [requestHeaders()]);
  held = [];
  await play(exchange, [requestBody(body, true)]);
  assert.deepEqual(
    [rig.judge.accessInputs, rig.judge.requestInputs].map(([input]) => input?.grants.length),
    [1, 1],
  );
});

test('a grant that lifted one rule of a request that another one stops is recorded, and counts for nothing', async () => {
  const { rig, used, decided } = rigWith(() => [grant]);
  rig.judge.requestVerdict = () => ({
    ...{ verdict: 'deny', reasons: [reason('request/budget')] },
    lifted: { grants: ['g-1'], reasons: [reason('request/skill_allowed')] },
  });
  await play(rig.open(), [requestHeaders(), requestBody(body, true)]);
  assert.equal(decided()[0]?.verdict, 'deny');
  assert.deepEqual(decided()[0]?.lifted?.grants, [grant]);
  assert.deepEqual(used, []);
});

test('where nothing was lifted the record says nothing of grants', async () => {
  const { rig, used, decided } = rigWith(() => [grant]);
  await play(rig.open(), [requestHeaders(), requestBody(body, true)]);
  assert.equal(decided()[0]?.verdict, 'allow');
  assert.equal('lifted' in (decided()[0] ?? {}), false);
  assert.deepEqual(used, []);
});
