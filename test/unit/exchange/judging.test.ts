import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observedTogether } from '../../../extproc/exchange/judging.ts';
import { wholeRequest } from './frames.ts';
import { allow, createRig, deny, play } from './rig.ts';

const tagMissing = { verdict: 'hold', reasons: [{ rule: 'access/tag_required', message: 'No tag.' }] } as const;
const modelDenied = {
  verdict: 'deny',
  reasons: [{ rule: 'request/model_allowed', message: 'Not that model.' }],
} as const;

test('what is observed at both stages is in the record of the verdict, and the request goes on', async () => {
  const { judge, log, open } = createRig();
  judge.accessVerdict = () => ({ ...allow, observed: tagMissing });
  judge.requestVerdict = () => ({ ...allow, observed: modelDenied });
  const actions = await play(open(), wholeRequest);
  assert.equal(actions.at(-1)?.kind, 'release');
  const [record] = log.ofKind('decided');
  assert.deepEqual(
    [record?.decided.verdict, record?.decided.reasons, record?.decided.observed],
    ['allow', [], { verdict: 'deny', reasons: [...tagMissing.reasons, ...modelDenied.reasons] }],
  );
});

test('what is enforced refuses the request whatever is observed beside it, and the caller hears of that alone', async () => {
  const { judge, log, open } = createRig();
  judge.requestVerdict = () => ({ ...deny, observed: modelDenied });
  const reply = (await play(open(), wholeRequest)).at(-1);
  assert.ok(reply?.kind === 'local_reply');
  assert.doesNotMatch(reply.reply.body, /Not that model/);
  assert.deepEqual(log.ofKind('decided')[0]?.decided.observed, modelDenied);
});

test('a record of a verdict that nobody observed says nothing of it', async () => {
  const { log, open } = createRig();
  await play(open(), wholeRequest);
  assert.equal(Object.hasOwn(log.ofKind('decided')[0]?.decided ?? {}, 'observed'), false);
});

test('two stages that would hold would hold', () => {
  assert.equal(observedTogether(tagMissing, tagMissing)?.verdict, 'hold');
  assert.equal(observedTogether(tagMissing, undefined), tagMissing);
  assert.equal(observedTogether(undefined, undefined), undefined);
});
