import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callerCredentialHeaders } from '../../../extproc/exchange/headers.ts';
import {
  answerBody,
  answerHeaders,
  eventDelta,
  eventStop,
  eventStream,
  question,
  requestBody,
  requestHeaders,
  wholeRequest,
} from './frames.ts';
import { createRig, deny, play, settle } from './rig.ts';

test('nothing is released before the whole request and its verdict are synced', async () => {
  const { log, open } = createRig();
  const exchange = open();
  const gate = log.stallSync();
  const half = question.length / 2;
  const held = [requestHeaders(), requestBody(question.slice(0, half)), requestBody(question.slice(half))];
  for (const action of await play(exchange, held)) assert.deepEqual(action, { kind: 'wait' });
  const last = Promise.resolve(exchange.accept(requestBody('', true))).then((action) => {
    log.events.push(`action ${action.kind}`);
    return action;
  });
  await settle();
  assert.deepEqual(log.events, [
    'append started',
    'append request_body',
    'append request_body',
    'append decided',
    'sync',
  ]);
  gate.open();
  const release = await last;
  assert.deepEqual(log.events.slice(-2), ['synced', 'action release']);
  assert.ok(release.kind === 'release');
  const chunks = (await Array.fromAsync(release.body)).map(String);
  assert.deepEqual(chunks, [question.slice(0, half), question.slice(half)], 'the chunks go upstream as they came');
  assert.deepEqual(release.removeHeaders, callerCredentialHeaders);
  assert.deepEqual([release.hadBody, release.hadTrailers], [true, false]);
});

test('what of a request waits for nothing is taken at once, and a chunk whose record it must wait for is not', async () => {
  const roomy = createRig().open();
  assert.deepEqual(roomy.accept(requestHeaders()), { kind: 'wait' });
  assert.deepEqual(roomy.accept(requestBody(question)), { kind: 'wait' });
  assert.ok(roomy.accept(requestBody('', true)) instanceof Promise);
  const full = createRig({ heldBodyMaxBytes: 400 }).open();
  full.accept(requestHeaders());
  assert.ok(full.accept(requestBody('x'.repeat(399))) instanceof Promise);
});

test('a request without a body is released after its sync, without a body', async () => {
  const { log, open } = createRig();
  const gate = log.stallSync();
  const accepted = open().accept(requestHeaders({ method: 'GET', path: '/v1/models', endOfStream: true }));
  await settle();
  assert.deepEqual(log.events, ['append started', 'append decided', 'sync']);
  gate.open();
  const action = await accepted;
  assert.ok(action.kind === 'release');
  assert.deepEqual([await Array.fromAsync(action.body), action.hadBody, action.hadTrailers], [[], false, false]);
});

test('trailers end a request, and their credentials are not recorded', async () => {
  const { log, open } = createRig();
  const actions = await play(open(), [
    requestHeaders(),
    requestBody(question),
    {
      kind: 'request_trailers',
      headers: [
        ['x-checksum', 'abc'],
        ['authorization', 'Bearer planted'],
      ],
    },
  ]);
  const release = actions.at(-1);
  assert.ok(release?.kind === 'release');
  assert.deepEqual([release.hadBody, release.hadTrailers], [true, true]);
  assert.deepEqual(log.ofKind('request_trailers')[0]?.headers, [
    ['x-checksum', 'abc'],
    ['authorization', '[not recorded]'],
  ]);
});

test('an answer chunk is let through after its record was written, and only the one with the end waits for the disk', async () => {
  const { log, open } = createRig();
  const exchange = open();
  await play(exchange, wholeRequest);
  log.events.length = 0;
  const gate = log.stallSync();
  const early = await play(exchange, [answerHeaders({ headers: eventStream }), answerBody(eventDelta)]);
  assert.deepEqual(
    early.map(({ kind }) => kind),
    ['continue_response_headers', 'continue_response_body'],
  );
  assert.deepEqual(log.events, ['append answer_started', 'append answer_body']);
  let isAnswered = false;
  const stop = Promise.resolve(exchange.accept(answerBody(`${eventDelta}${eventStop}`))).then((action) => {
    isAnswered = true;
    return action;
  });
  await settle();
  assert.equal(isAnswered, false, 'message_stop reached the caller before the disk');
  assert.deepEqual(log.events.slice(2), ['append answer_body', 'sync']);
  gate.open();
  assert.deepEqual(await stop, { kind: 'continue_response_body' });
});

test('a message_stop that is cut into single bytes waits for the disk before its last byte is passed on', async () => {
  const { log, open } = createRig();
  const exchange = open();
  await play(exchange, [...wholeRequest, answerHeaders({ headers: eventStream })]);
  const passed: string[] = [];
  for (const byte of Buffer.from(eventDelta + eventStop)) {
    log.events.length = 0;
    await exchange.accept(answerBody(Buffer.of(byte)));
    if (log.events.includes('sync')) break;
    passed.push(String.fromCharCode(byte));
  }
  assert.equal(passed.join(''), (eventDelta + eventStop).slice(0, -1));
});

test('the last byte of a body of known length waits for the disk, and nothing is synced twice', async () => {
  const { log, open } = createRig();
  const exchange = open();
  const headers = [
    ['content-type', 'application/json'],
    ['content-length', '10'],
  ] as const;
  await play(exchange, [...wholeRequest, answerHeaders({ headers })]);
  log.events.length = 0;
  await exchange.accept(answerBody('123456789'));
  assert.deepEqual(log.events, ['append answer_body']);
  await exchange.accept(answerBody('0'));
  assert.deepEqual(log.events.slice(1), ['append answer_body', 'sync', 'synced']);
  await exchange.accept(answerBody('', true));
  assert.deepEqual(log.events.slice(4), []);
});

test('an end of the stream that brings something behind the end for the reader waits for the disk too', async () => {
  const trailers = { kind: 'response_trailers', headers: [['x-end', '1']] } as const;
  for (const last of [answerBody(': bye\n\n', true), trailers]) {
    const { log, open } = createRig();
    const exchange = open();
    await play(exchange, [...wholeRequest, answerHeaders({ headers: eventStream }), answerBody(eventStop)]);
    log.events.length = 0;
    await exchange.accept(last);
    assert.deepEqual(log.events.slice(1), ['sync', 'synced']);
  }
});

test('an end that only the end of the stream shows is marked in the record, and waits for the disk', async () => {
  const encoded = [...eventStream, ['content-encoding', 'gzip']] as const;
  for (const headers of [[['content-type', 'application/json']] as const, eventStream, encoded]) {
    const { log, open } = createRig();
    const exchange = open();
    await play(exchange, [...wholeRequest, answerHeaders({ headers }), answerBody('x')]);
    log.events.length = 0;
    const gate = log.stallSync();
    let isAnswered = false;
    const last = Promise.resolve(exchange.accept(answerBody('', true))).then(() => {
      isAnswered = true;
    });
    await settle();
    assert.deepEqual(log.events, ['append answer_trailers', 'sync']);
    assert.deepEqual(log.ofKind('answer_trailers')[0]?.headers, []);
    assert.equal(isAnswered, false);
    gate.open();
    await last;
  }
});

test('only what nobody waits for lingers: the head and the end of an answer, and nothing of a denial', async () => {
  const { log, judge, open } = createRig();
  const answered = open();
  await play(answered, [...wholeRequest, answerHeaders(), answerBody('{}'), answerBody('', true)]);
  await answered.abandon('stream_ended', '');
  assert.deepEqual(log.lingering, ['answer_started', 'finished']);
  log.lingering.length = 0;
  judge.requestVerdict = () => deny;
  const denied = open();
  await play(denied, wholeRequest);
  await denied.abandon('stream_ended', '');
  assert.deepEqual(log.lingering, []);
});

test('every chunk of an encoded answer waits for the disk: any of them may complete it', async () => {
  for (const lines of [['gzip'], ['identity', 'gzip'], ['br', 'gzip']]) {
    const { log, open } = createRig();
    const exchange = open();
    const encoded = lines.map((line) => ['content-encoding', line] as const);
    await play(exchange, [...wholeRequest, answerHeaders({ headers: [...eventStream, ...encoded] })]);
    for (const chunk of ['\x1f\x8b', 'more']) {
      log.events.length = 0;
      await exchange.accept(answerBody(chunk));
      assert.deepEqual(log.events, ['append answer_body', 'sync', 'synced']);
    }
  }
});

test('answers carry the two ids, and an exchange has the records of its life in order', async () => {
  const { log, open } = createRig();
  const exchange = open();
  const session = [['x-claude-code-session-id', 'c-1']] as const;
  const actions = await play(exchange, [
    requestHeaders({ headers: session }),
    requestBody(question, true),
    answerHeaders(),
    answerBody('{}'),
    { kind: 'response_trailers', headers: [['x-end', '1']] },
  ]);
  const [decided] = log.ofKind('decided');
  assert.equal(decided?.decided.session?.source, 'claude_code_header');
  assert.deepEqual(actions[2], {
    kind: 'continue_response_headers',
    setHeaders: { 'x-skilltape-exchange': exchange.id, 'x-skilltape-session': decided.decided.session.id },
  });
  assert.deepEqual(actions[4], { kind: 'continue_response_trailers' });
  await exchange.abandon('stream_ended', '');
  assert.deepEqual(log.kinds(), [
    'started',
    'request_body',
    'decided',
    'answer_started',
    'answer_body',
    'answer_trailers',
    'finished',
  ]);
  assert.deepEqual(log.finished, [{ outcome: 'complete', detail: '', status: 200, localReply: '' }]);
  assert.ok(log.records.every(({ exchangeId }) => exchangeId === exchange.id));
});

test('the policy that was in force at the start judges the request, also when another came meanwhile', async () => {
  const rig = createRig();
  const first = rig.judge;
  const exchange = rig.open();
  rig.context.judge = () => ({
    ...first,
    revision: 'later',
    access: () => assert.fail(),
    request: () => assert.fail(),
  });
  await play(exchange, wholeRequest);
  assert.equal(first.requestInputs.length, 1);
  assert.equal(rig.log.ofKind('decided')[0]?.decided.policyRevision, first.revision);
});

test("a second attempt of Envoy's is an exchange of its own, linked to the first", async () => {
  const { log, open } = createRig();
  const first = open();
  await play(first, wholeRequest);
  await first.abandon('stream_ended', '');
  await play(open(), wholeRequest);
  await play(open(), [requestHeaders({ requestId: 'another' })]);
  assert.deepEqual(
    log.ofKind('started').map(({ started }) => started.attemptOf),
    [null, first.id, null],
  );
});
