import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedIdsMax } from '../../../extproc/claude/owned-ids.ts';
import type { Action, Frame, LocalReply } from '../../../extproc/exchange/frame.ts';
import { alice, answerBody, answerHeaders, question, requestBody, requestHeaders, tokenOf } from './frames.ts';
import type { Rig } from './rig.ts';
import { createRig, play } from './rig.ts';

const bob = { ...alice, sub: 'bob' };
const json = (value: unknown) => [answerHeaders(), answerBody(JSON.stringify(value)), answerBody('', true)];

/** POST with the question and these fields beside it. */
function post(path: string, fields: object, who = alice): Frame[] {
  const body = JSON.stringify({ ...JSON.parse(question), ...fields });
  return [requestHeaders({ path, metadata: tokenOf(who) }), requestBody(body), requestBody('', true)];
}

const batch = { requests: [{ custom_id: 'a', params: JSON.parse(question) }] };

async function ask(rig: Rig, frames: readonly Frame[], answer: readonly Frame[] = json({})): Promise<Action[]> {
  const exchange = rig.open();
  const actions = await play(exchange, [...frames, ...answer]);
  await exchange.abandon('stream_ended', '');
  return actions;
}

function lastOwners(rig: Rig) {
  return [rig.judge.accessInputs.at(-1)?.owners, rig.judge.requestInputs.at(-1)?.owners];
}

test("what an answer made is its caller's in the next request, by its path and by its body", async () => {
  const rig = createRig();
  await ask(rig, post('/v1/messages/batches', batch), json({ type: 'message_batch', id: 'msgbatch_1' }));
  const cancel = '/v1/messages/batches/msgbatch_1/cancel';
  for (const [who, owner] of [
    [alice, 'mine'],
    [bob, 'others'],
  ] as const) {
    await ask(rig, post(cancel, {}, who));
    const named = [{ kind: 'batch', owner, count: 1 }];
    assert.deepEqual(lastOwners(rig), [named, named], owner);
  }
  const session = { type: 'session', id: 'sesn_1' };
  await ask(rig, post('/v1/sessions', {}), json(session));
  const inputs = [{ type: 'sessions', session_ids: ['sesn_1', 'sesn_2'] }];
  await ask(rig, post('/v1/dreams', { inputs }, bob));
  const owners = ['others', 'unknown'].map((owner) => ({ kind: 'session', owner, count: 1 }));
  assert.deepEqual(lastOwners(rig), [[], owners], 'the body is known to the request alone');
});

test('a memory store is whose it was made for, also one that a dream made', async () => {
  const rig = createRig();
  const get = (path: string, who = alice) => [
    requestHeaders({ method: 'GET', path, metadata: tokenOf(who), endOfStream: true }),
  ];
  await ask(rig, post('/v1/memory_stores', { name: 'larch' }), json({ type: 'memory_store', id: 'memstore_1' }));
  const inputs = [{ type: 'memory_store', memory_store_id: 'memstore_1' }];
  const dream = { type: 'dream', id: 'drm_1', session_id: null, inputs, outputs: [] };
  await ask(rig, post('/v1/dreams', { inputs }), json(dream));
  const done = { ...dream, session_id: 'sesn_1', outputs: [{ type: 'memory_store', memory_store_id: 'memstore_2' }] };
  await ask(rig, get('/v1/dreams/drm_1'), json(done));
  const paths = [
    'memory_stores/memstore_1/memories',
    'memory_stores/memstore_2',
    'dreams/drm_1',
    'sessions/sesn_1/events',
  ];
  for (const path of paths) {
    for (const [who, owner] of [
      [alice, 'mine'],
      [bob, 'others'],
    ] as const) {
      await ask(rig, get(`/v1/${path}`, who));
      assert.deepEqual(
        rig.judge.accessInputs.at(-1)?.owners.map((fact) => fact.owner),
        [owner],
        path,
      );
    }
  }
  const resources = [{ type: 'memory_store', memory_store_id: 'memstore_2' }];
  await ask(rig, post('/v1/sessions', { resources, vault_ids: ['vlt_1'] }, bob));
  assert.deepEqual(lastOwners(rig)[1], [
    { kind: 'vault', owner: 'unknown', count: 1 },
    { kind: 'memory_store', owner: 'others', count: 1 },
  ]);
});

test("a prompt is compared with the caller's own message, another's is another's, and one that was not kept is nobody's", async () => {
  const rig = createRig();
  const naming = (id: string | null) => ({ diagnostics: { previous_message_id: id } });
  const message = (id: string) => json({ type: 'message', id, content: [] });
  await ask(rig, post('/v1/messages', naming(null)), message('msg_1'));
  assert.deepEqual(lastOwners(rig)[1], []);
  await ask(rig, post('/v1/messages', {}), message('msg_2'));
  for (const [id, who, owner] of [
    ['msg_1', alice, 'mine'],
    ['msg_1', bob, 'others'],
    ['msg_2', bob, 'unknown'],
  ] as const) {
    await ask(rig, post('/v1/messages', naming(id), who));
    assert.deepEqual(lastOwners(rig)[1], [{ kind: 'compared_message', owner, count: 1 }], `${id} ${owner}`);
  }
  await ask(rig, post('/v1/messages', { thread: { type: 'continue', previous_message_id: 'msg_1' } }, bob));
  assert.deepEqual(
    lastOwners(rig)[1],
    [{ kind: 'message', owner: 'unknown', count: 1 }],
    'it is no message of a thread',
  );
});

test('the record has whose the things are, and not which', async () => {
  const rig = createRig();
  await ask(rig, post('/v1/messages', { container: 'container_secret' }));
  const decided = rig.log.ofKind('decided').at(-1)?.decided ?? assert.fail('no decision');
  const { owners } = decided.input as { owners: unknown };
  assert.deepEqual(owners, [{ kind: 'container', owner: 'unknown', count: 1 }]);
  assert.doesNotMatch(JSON.stringify(decided), /container_secret/);
});

test("going on in a container that nobody was seen to get does not make it anybody's", async () => {
  const rig = createRig();
  const message = { type: 'message', id: 'msg_1', container: { id: 'container_1' }, content: [] };
  for (let turn = 0; turn < 2; turn += 1) {
    await ask(rig, post('/v1/messages', { container: 'container_1' }), json(message));
    assert.deepEqual(lastOwners(rig)[1], [{ kind: 'container', owner: 'unknown', count: 1 }]);
  }
});

test('a request that names more things than can be looked up is refused, and nobody is asked about it', async () => {
  const rig = createRig({ requestBodyMaxBytes: 1_000_000, heldBodyMaxBytes: 5_000_000 });
  const content = Array.from({ length: namedIdsMax + 1 }, (_, at) => ({
    type: 'container_upload',
    file_id: `file_${at}`,
  }));
  const actions = await ask(rig, post('/v1/messages', { messages: [{ role: 'user', content }] }), []);
  const reply = actions.find(
    (action): action is Action & { reply: LocalReply } => action.kind === 'local_reply',
  )?.reply;
  assert.equal(reply?.status, 400);
  assert.match(reply?.body ?? '', /names more than 500 files/);
  assert.equal(rig.judge.requestInputs.length, 0);
});
