import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../../extproc/exchange/frame.ts';
import type { Verdict } from '../../../extproc/exchange/ports.ts';
import { RunningExchanges, StoppableExchange } from '../../../extproc/exchange/running.ts';
import { waitUntil } from '../../environment/wait.ts';
import {
  answerBody,
  answerHeaders,
  eventDelta,
  eventStop,
  eventStream,
  requestBody,
  requestHeaders,
} from './frames.ts';
import { createRig, deny, settle } from './rig.ts';

const stop = { by: 'ada (uid 1000)', reason: 'it must end' };
const detail = 'stopped by ada (uid 1000): it must end';
const body = '{"model":"claude-opus-4-8","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}';
const hold: Verdict = { verdict: 'hold', reasons: [{ rule: 'request/risky', message: 'Risky.' }] };

function refusalOf(action: Action) {
  assert.ok(action.kind === 'local_reply', action.kind);
  const { error } = JSON.parse(action.reply.body);
  assert.deepEqual([action.reply.status, error.details.error_code], [403, 'dlp_request_denied']);
  return error.message as string;
}

test('before its answer a stopped exchange is answered by a refusal with the reason and not with the operator, on disk before', async () => {
  for (const phase of ['uploading', 'released'] as const) {
    const rig = createRig();
    const exchange = rig.open();
    await exchange.accept(requestHeaders());
    if (phase === 'released') await exchange.accept(requestBody(body, true));
    const gate = rig.log.stallSync();
    const stopped = exchange.stop(stop);
    let isOver = false;
    void stopped.then(() => {
      isOver = true;
    });
    await waitUntil('its end to be written', () => rig.log.finished.length > 0);
    await settle();
    assert.deepEqual([rig.log.finished.map(({ outcome }) => outcome), isOver], [['stopped'], false], phase);
    gate.open();
    const message = refusalOf(await stopped);
    assert.match(message, /Stopped by an operator: it must end/);
    assert.doesNotMatch(message, /ada/);
    await exchange.abandon('stream_ended', '');
    assert.deepEqual(
      rig.log.finished.map((end) => [end.outcome, end.detail]),
      [['stopped', detail]],
    );
  }
});

test('an exchange that waits for people stops waiting, and is not released whatever they decide', async () => {
  const rig = createRig();
  rig.judge.requestVerdict = () => hold;
  const exchange = rig.open();
  await exchange.accept(requestHeaders());
  const held = exchange.accept(requestBody(body, true));
  await settle();
  refusalOf(await exchange.stop(stop));
  assert.deepEqual(await held, { kind: 'wait' });
  rig.desk.decide({ kind: 'granted', ticket: 't-1', approvedBy: ['grace'] });
  await settle();
  assert.deepEqual(
    rig.log.finished.map(({ outcome }) => outcome),
    ['stopped'],
  );
});

test('a stop while the request is judged comes before its release', async () => {
  const rig = createRig();
  const exchange = rig.open();
  await exchange.accept(requestHeaders());
  const gate = rig.log.stallSync();
  const judged = exchange.accept(requestBody(body, true));
  await settle();
  const stopped = exchange.stop(stop);
  gate.open();
  refusalOf(await stopped);
  assert.deepEqual(await judged, { kind: 'wait' });
});

test('within its answer it is cut, and what was seen of its end counts all the same', async () => {
  for (const isWhole of [false, true]) {
    const rig = createRig();
    const exchange = rig.open();
    await exchange.accept(requestHeaders());
    await exchange.accept(requestBody(body, true));
    await exchange.accept(answerHeaders({ headers: eventStream }));
    await exchange.accept(answerBody(isWhole ? eventStop : eventDelta));
    assert.deepEqual(await exchange.stop(stop), { kind: 'cut', reason: detail });
    await exchange.abandon('stopped', detail);
    const ends = rig.log.finished.map((end) => [end.outcome, end.detail]);
    assert.deepEqual(ends, [isWhole ? ['complete', ''] : ['stopped', detail]]);
  }
});

test('what is over cannot be stopped', async () => {
  const rig = createRig();
  rig.judge.requestVerdict = () => deny;
  const exchange = rig.open();
  await exchange.accept(requestHeaders());
  await exchange.accept(requestBody(body, true));
  assert.deepEqual(await exchange.stop(stop), { kind: 'wait' });
  assert.deepEqual(
    rig.log.finished.map(({ outcome }) => outcome),
    ['denied'],
  );
});

test('all of a session is found, also what joins it while it is judged, and nothing of another', async () => {
  const rig = createRig();
  const running = new RunningExchanges();
  rig.context.stops = running;
  const heard: string[] = [];
  const open = async (session: string) => {
    const exchange = rig.open();
    const stoppable = new StoppableExchange(exchange, exchange, running);
    stoppable.onStop((last) => heard.push(`${session} ${last.kind}`));
    await stoppable.accept(requestHeaders({ headers: [['x-claude-code-session-id', session]] }));
    await stoppable.accept(requestBody(body, true));
    return stoppable;
  };
  const [one, , gone] = [await open('a'), await open('b'), await open('a')];
  await gone.abandon('stream_ended', '');
  const session = rig.log.ofKind('decided').find(({ exchangeId }) => exchangeId === one.id)?.decided.session?.id ?? '';
  assert.deepEqual(await running.end({ kind: 'session', id: session }, stop), [one.id]);
  assert.deepEqual(heard, ['a local_reply']);
  running.useStopped(new Map([[session, stop]]));
  const refused = await open('a');
  const verdicts = rig.log.ofKind('decided').filter(({ exchangeId }) => exchangeId === refused.id);
  assert.deepEqual(verdicts.map(({ decided }) => [decided.verdict, decided.reasons[0]?.rule]).at(-1), [
    'deny',
    'skilltape/stopped',
  ]);
  assert.equal(rig.judge.requestInputs.length, 3, 'no policy is asked about it');
});
