import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { HeaderList } from '../../../extproc/exchange/headers.ts';
import type { Ending } from '../../../extproc/transcript/ending.ts';
import { endingOf } from '../../../extproc/transcript/ending.ts';
import { encoders } from '../../builders/encoders.ts';
import { claudeFixture, eventStream, messageOf, readingOf, transcriptOf } from './example.ts';

async function endingFor(
  answerBody: Uint8Array,
  answerHeaders: HeaderList,
  outcome: Ending['outcome'] = 'complete',
): Promise<Ending> {
  const transcript = transcriptOf({ answerBody, answerHeaders, finished: { outcome, detail: 'as recorded' } });
  return endingOf(transcript, await readingOf(transcript));
}

const encoded: HeaderList = [...eventStream, ['content-encoding', 'gzip']];

test('an encoded stream with its message_stop stays complete', async () => {
  const ending = await endingFor(gzipSync(claudeFixture('b_stream_text.sse')), encoded);
  assert.deepEqual(ending, { outcome: 'complete', detail: 'as recorded' });
});

test('an encoded stream without its message_stop was aborted by the upstream', async () => {
  const ending = await endingFor(gzipSync(claudeFixture('f2_truncated.sse')), encoded);
  assert.equal(ending.outcome, 'upstream_aborted');
  assert.match(ending.detail, /before its proper end/);
});

test('an encoded stream of a completion is complete with the reason why it stopped', async () => {
  const event = (fields: object) => `event: completion\ndata: ${JSON.stringify({ type: 'completion', ...fields })}\n\n`;
  const going = event({ completion: ' Hi', stop_reason: null });
  const whole = going + event({ completion: '', stop_reason: 'stop_sequence' });
  for (const [text, outcome] of [
    [whole, 'complete'],
    [going, 'upstream_aborted'],
  ] as const) {
    const answer = { answerBody: gzipSync(text), answerHeaders: encoded };
    const finished = { outcome: 'complete' as const, detail: '' };
    const transcript = transcriptOf({ ...answer, started: { path: '/v1/complete' }, finished });
    assert.equal(endingOf(transcript, await readingOf(transcript)).outcome, outcome);
  }
});

test('an encoded stream with an error event is an error of the upstream, as it is when not encoded', async () => {
  assert.equal((await endingFor(gzipSync(claudeFixture('f_midstream_error.sse')), encoded)).outcome, 'upstream_error');
});

test('an answer that has no body stays complete, whatever type and coding it names', async () => {
  const json: HeaderList = [
    ['content-type', 'application/json'],
    ['content-encoding', 'gzip'],
  ];
  for (const answerHeaders of [json, encoded]) {
    for (const head of [{ started: { method: 'HEAD' } }, { answerStatus: 304 }]) {
      const finished = { outcome: 'complete' as const, detail: '' };
      const transcript = transcriptOf({ answerBody: Buffer.alloc(0), answerHeaders, finished, ...head });
      assert.equal(endingOf(transcript, await readingOf(transcript)).outcome, 'complete');
    }
  }
});

test('an encoded stream that cannot be decoded is not called complete: nobody saw its end', async () => {
  const unknown: HeaderList = [...eventStream, ['content-encoding', 'compress']];
  for (const ending of [await endingFor(Buffer.from('x'), unknown), await endingFor(Buffer.from('x'), encoded)]) {
    assert.equal(ending.outcome, 'upstream_aborted');
    assert.match(ending.detail, /could not be decoded/);
  }
});

test('an outcome that the hot path could see, or that is no success, is left as it is', async () => {
  const truncated = claudeFixture('f2_truncated.sse');
  assert.equal((await endingFor(truncated, eventStream)).outcome, 'complete');
  assert.equal((await endingFor(gzipSync(truncated), encoded, 'aborted')).outcome, 'aborted');
  const json: HeaderList = [
    ['content-type', 'application/json'],
    ['content-encoding', 'gzip'],
  ];
  assert.equal((await endingFor(gzipSync('{"input_tokens":1}'), json)).outcome, 'complete');
});

test('an encoded stream that was broken off behind its end is complete, whoever did it', async () => {
  const whole = gzipSync(claudeFixture('b_stream_text.sse'));
  for (const outcome of ['client_aborted', 'upstream_aborted', 'aborted'] as const) {
    assert.deepEqual(await endingFor(whole, encoded, outcome), { outcome: 'complete', detail: '' });
    const failed = await endingFor(gzipSync(claudeFixture('f_midstream_error.sse')), encoded, outcome);
    assert.equal(failed.outcome, 'upstream_error');
  }
  for (const outcome of ['interrupted', 'cut'] as const) {
    assert.equal((await endingFor(whole, encoded, outcome)).outcome, outcome);
  }
});

test('JSON that ends before its end was aborted by the upstream, however HTTP framed it', async () => {
  const json: HeaderList = [['content-type', 'application/json']];
  const gzip: HeaderList = [...json, ['content-encoding', 'gzip']];
  const cut = '{"type":"message","content":[{"type":"text","text":"Pas';
  for (const ending of [await endingFor(Buffer.from(cut), json), await endingFor(gzipSync(cut), gzip)]) {
    assert.equal(ending.outcome, 'upstream_aborted');
  }
  assert.equal((await endingFor(Buffer.from('{"a":1}}'), json)).outcome, 'complete', 'JSON that is none, and whole');
});

test('an encoded JSON answer whose coding was cut is not complete, though HTTP framed it whole', async () => {
  const json: HeaderList = [['content-type', 'application/json']];
  for (const { name, header, encode } of encoders) {
    const headers = [...json, ['content-encoding', header]] as const;
    const body = encode(Buffer.from(JSON.stringify(messageOf('whole'))));
    assert.equal((await endingFor(body, headers)).outcome, 'complete', name);
    const cut = await endingFor(body.subarray(0, -1), headers);
    assert.deepEqual([cut.outcome, cut.detail], ['upstream_aborted', 'the answer ended before its proper end'], name);
  }
});

test('an encoded stream with its message_stop is complete without the end of its coding', async () => {
  const body = gzipSync(claudeFixture('b_stream_text.sse'));
  assert.equal((await endingFor(body.subarray(0, -1), encoded)).outcome, 'complete');
});

test('of JSON that cannot be decoded only its framing is known', async () => {
  const headers: HeaderList = [
    ['content-type', 'application/json'],
    ['content-encoding', 'compress'],
  ];
  assert.equal((await endingFor(Buffer.from('x'), headers)).outcome, 'complete');
});
