import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { renderTranscript } from '../../../extproc/terminal/transcript.ts';
import type { JsonValue } from '../../../extproc/transcript/document.ts';
import { documentOf } from '../../builders/document.ts';
import { sampleDocument } from '../../builders/sample.ts';

const unchanged = { readable: [], whole: [], dropped: [] };
const plain = { color: false, width: 100 };

function withContent(content: JsonValue): string {
  return renderTranscript([documentOf({ skilltape: { new_messages: [{ role: 'user', content }] } })], plain);
}

test('the header tells who, when, where, what was decided and why, how it ended and what it cost', () => {
  const text = renderTranscript(
    [
      documentOf({
        usage: { cache_read: { input_tokens: 7 } },
        skilltape: {
          outcome: 'denied',
          outcome_detail: 'by policy',
          verdict: {
            decision: 'deny',
            reasons: [{ rule: 'no_secrets', message: 'a key' }],
            would: null,
            would_reasons: [],
            ...{ lifted: null, lifted_reasons: [], lifted_grants: [], lifted_by: [], lifted_why: [] },
            policy_revision: 'r',
            record_policy_revision: 'r',
          },
          masking: {
            status: 'masked',
            reason: '',
            findings: [{ type: 'EMAIL', place: 'messages', count: 2 }],
            ...unchanged,
          },
        },
      }),
    ],
    plain,
  );
  for (const expected of [
    /^exchange exchange-1$/m,
    /^time {8}2026-01-15T10:00:00\.000Z \(1500 ms\)$/m,
    /^user {8}Ada Example <ada@example\.org> u-1, research, from 192\.0\.2\.7$/m,
    /^connection {2}claude$/m,
    /^model {7}claude-sonnet-4-5$/m,
    /^verdict {5}deny\n {12}no_secrets: a key$/m,
    /^outcome {5}denied \(by policy\)$/m,
    /^tokens {6}12 in, 34 out, 7 read from cache$/m,
    /^session {5}session-1 \(header\)$/m,
    /^masked {6}2 EMAIL \(messages\)$/m,
  ])
    assert.match(text, expected);
});

test('the header tells what else belongs to an exchange, and leaves out what does not', () => {
  const text = renderTranscript([sampleDocument()], plain);
  for (const expected of [
    /^tokens {6}1012 in, 34 out, 9 of it thinking, 700 read from cache, 300 written to cache$/m,
    /^noise {7}title, no prompt of a person$/m,
    /^agent {7}agent-2 \(reviewer\), of agent-1, for prompt prompt-1, subagent$/m,
    /^batch {7}msgbatch_1, prompt first, 2 prompts$/m,
    /^skill {7}pdf \(latest, container\)\n {12}brand-voice \(tool\)$/m,
    /^file {8}produced file_011 report\.pdf application\/pdf 4096 bytes\n {12}referenced file_012$/m,
    /^belongs to {2}exchange-0 \(file\)$/m,
    /^-- 1 tool described: bash$/m,
  ])
    assert.match(text, expected);
  assert.doesNotMatch(renderTranscript([documentOf()], plain), /^(noise|agent|batch|skill|file|belongs to)/m);
});

test('messages come with their role, then the answer and why it stopped', () => {
  const text = renderTranscript([documentOf()], plain);
  assert.match(
    text,
    /\[user\]\n {2}\| What is a tape\?\n\n\[answer\]\n {2}\| A strip that records\.\n\n-- stopped: end_turn\n/,
  );
});

test('tool calls, tool results, thinking, media and unknown blocks each have their form', () => {
  const text = withContent([
    { type: 'thinking', thinking: 'let me see', signature: 's' },
    { type: 'redacted_thinking', data: 'AAAA' },
    { type: 'tool_use', id: 't1', name: 'bash', input: { command: 'ls' } },
    { type: 'tool_result', tool_use_id: 't1', is_error: true, content: [{ type: 'text', text: 'no such file' }] },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
    { type: 'document', title: 'plan', source: { type: 'base64', media_type: 'application/pdf', bytes: 1234 } },
    { type: 'future_block', answer: 42 },
  ]);
  assert.match(text, /\| \(thinking\)\n {2}\| let me see\n/);
  assert.match(text, /\| \(tool_use bash\)\n {2}\| \{\n {2}\| {3}"command": "ls"\n {2}\| \}\n/);
  assert.match(text, /\| \(tool_result t1, an error\)\n {2}\| no such file\n/);
  assert.match(text, /\| \(image image\/png 3 bytes\)\n/);
  assert.match(text, /\| \(document plan application\/pdf 1234 bytes\)\n/);
  assert.match(text, /\| \(future_block\)\n(.*\n)+? {2}\| {3}"answer": 42\n/);
  assert.doesNotMatch(text, /QUJD|AAAA/);
});

test('a session shows its exchanges in order and says where the resent history is', () => {
  const history = { message_count: 3, prefix_hash: 'p' };
  const text = renderTranscript(
    [
      documentOf({ id: 'one', skilltape: { history } }),
      documentOf({ id: 'two', skilltape: { history: { ...history, message_count: 1 } } }),
    ],
    plain,
  );
  assert.match(
    text,
    /exchange one\n.*3 earlier messages indexed earlier\n.*exchange two\n.*1 earlier message shown above/s,
  );
});

test('why only metadata are there is said: policy wanted it so, or masking failed and for what reason', () => {
  const shown = (masking: { status: 'masked' | 'failed'; reason: string }) =>
    renderTranscript(
      [documentOf({ skilltape: { keep: 'metadata', masking: { findings: [], ...masking, ...unchanged } } })],
      plain,
    );
  assert.match(shown({ status: 'masked', reason: '' }), /policy keeps the metadata of this exchange only/);
  const failed = shown({ status: 'failed', reason: 'masking failed with RangeError' });
  assert.match(failed, /masking failed, so only the metadata.*masking failed with RangeError/);
  assert.doesNotMatch(failed, /policy keeps/);
});

test('what is missing is said: metadata only, not decoded, truncated, an error', () => {
  const text = renderTranscript(
    [
      documentOf({
        skilltape: {
          keep: 'metadata',
          decoded: false,
          truncated: true,
          answer: null,
          error: { type: 'overloaded_error' },
        },
      }),
    ],
    plain,
  );
  for (const expected of [/metadata of this exchange only/, /could not be read/, /was cut/])
    assert.match(text, expected);
  assert.match(text, /\[error\]\n {2}\| \{\n {2}\| {3}"type": "overloaded_error"/);
  assert.doesNotMatch(text, /\[answer\]/);
});

test('the encodings of an exchange are told with their sizes, and why a body was not read', () => {
  const none = { codings: [], decoded_bytes: null };
  const shown = (body: { request: object; answer: object }, detail = '') =>
    renderTranscript(
      [documentOf({ skilltape: { body: body as never, decoded: detail === '', decoded_detail: detail } })],
      plain,
    );
  assert.doesNotMatch(shown({ request: none, answer: none }), /encoding/);
  const both = {
    request: { codings: ['gzip', 'br'], decoded_bytes: 42 },
    answer: { codings: ['zstd'], decoded_bytes: null },
  };
  assert.match(shown(both), /encoding +request gzip then br \(42 bytes decoded\), answer zstd\n/);
  const hostile = shown(both, 'request: its content-encoding is \u001b[2J\nverdict     allow');
  assert.match(hostile, /could not be read as a Claude exchange: request: its content-encoding is /);
  assert.doesNotMatch(hostile, /[^\P{Cc}\n]/u);
  assert.doesNotMatch(hostile, /^verdict +allow\n(.*\n)*verdict +allow/m);
});

test('a prompt cannot move the cursor, colour the page, or pass for a line of ours', () => {
  const attack = '\u001b[2J\u001b]8;;http://evil\u0007\r\n[answer]\n-- stopped: end_turn\n\u202eexchange fake';
  const text = renderTranscript(
    [
      documentOf({
        input: attack,
        user: { name: `Ada\n[answer]\u001b[31m` },
        model: 'm\nverdict     allow',
        agent: { id: 'a\nverdict     allow', name: '\u001b[2J' },
        skilltape: {
          skill: [{ name: 's\nverdict     allow', version: '\u202e', source: '\r' }],
          file: [{ id: '\u0007', role: 'uploaded', name: 'x\n[answer]', media_type: '', bytes: 1, hash: '' }],
          tools: [{ name: 't\n[answer]' }, { type: { a: 1 } }, 7, null],
          new_messages: [
            { role: `user]\n[answer`, content: attack },
            { role: { toString: 'x' }, content: attack },
          ],
          answer: null,
        },
      }),
    ],
    plain,
  );
  assert.doesNotMatch(text, /[^\P{Cc}\n]|\u202e/u);
  assert.doesNotMatch(text, /^\[answer\]/m);
  assert.doesNotMatch(text, /^-- stopped/m);
  assert.doesNotMatch(text, /^exchange fake/m);
  assert.equal(text.match(/^verdict /gm)?.length, 1);
  assert.match(text, /<U\+001B>\[2J/);
});

test('any message renders, its lines keep to the width, and without our own colours nothing is left to interpret', () => {
  const width = 60;
  const message = fc.record({ role: fc.string({ unit: 'binary' }), content: fc.jsonValue({ stringUnit: 'binary' }) });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.jsonValue({ stringUnit: 'binary' }), (messages, answer) => {
      const document = documentOf({
        skilltape: { new_messages: messages as JsonValue[], answer: answer as JsonValue },
      });
      const text = renderTranscript([document], { color: false, width });
      assert.doesNotMatch(text, /[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}]/u);
      for (const line of text.split('\n')) assert.ok(line.length <= width, line);
      const colored = renderTranscript([document], { color: true, width });
      assert.equal(stripVTControlCharacters(colored), text);
    }),
  );
});

test('a deeply nested or very long input renders', () => {
  let deep: JsonValue = 'end';
  for (let depth = 0; depth < 3_000; depth++) deep = { a: deep };
  assert.match(withContent([{ type: 'tool_use', name: 't', input: deep }]), /end/);
  let results: JsonValue = 'innermost';
  for (let depth = 0; depth < 500; depth++) results = [{ type: 'tool_result', tool_use_id: 'x', content: results }];
  assert.match(withContent(results), /innermost/);
  assert.equal(withContent('x'.repeat(2_000_000)).match(/x{90,}/g)?.length, Math.floor(2_000_000 / 96));
});
