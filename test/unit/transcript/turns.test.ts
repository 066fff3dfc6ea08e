import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NewTurns } from '../../../extproc/transcript/turns.ts';
import { newTurns } from '../../../extproc/transcript/turns.ts';
import { keyedHash, messageOf, messagesRequest, readingOf, transcriptOf } from './example.ts';

type Message = { role: string; content: unknown };

const user = (content: unknown): Message => ({ role: 'user', content });
const assistant = (content: unknown): Message => ({ role: 'assistant', content });
const textBlocks = (text: string, more: object = {}) => [{ type: 'text', text, ...more }];

/** Remembers turns as the index does: the first exchange that names a hash keeps it. */
class Recorder {
  readonly #firstBy = new Map<string, string>();

  async record(
    id: string,
    messages: Message[],
    answer: string,
    options: { scope?: string; system?: unknown; isUnanswered?: boolean } = {},
  ): Promise<NewTurns> {
    const { scope = 'ada', system, isUnanswered = false } = options;
    const request = { ...messagesRequest(''), messages, system };
    const reading = await readingOf(transcriptOf({ id, request, answer: messageOf(answer) }));
    const turns = newTurns({ ...reading, session: 's', isUnanswered }, keyedHash, (hash) => {
      const first = this.#firstBy.get(`${scope} ${hash}`);
      return first !== undefined && first !== id;
    });
    for (const hash of turns.hashes) {
      const key = `${scope} ${hash}`;
      if (!this.#firstBy.has(key)) this.#firstBy.set(key, id);
    }
    return turns;
  }
}

test('of a chat of 30 turns, resent whole each time, each message is new once and no answer is repeated', async () => {
  const recorder = new Recorder();
  const messages: Message[] = [];
  for (let turn = 0; turn < 30; turn += 1) {
    messages.push(user(`question ${turn}`));
    const { firstNew } = await recorder.record(`x${turn}`, messages, `answer ${turn}`);
    assert.deepEqual(messages.slice(firstNew), [user(`question ${turn}`)]);
    messages.push(assistant(textBlocks(`answer ${turn}`)));
  }
});

test('the result of a tool is the only new message after the answer that called for it', async () => {
  const recorder = new Recorder();
  await recorder.record('a', [user('hi')], 'calling');
  const result = user([{ type: 'tool_result', tool_use_id: 't', content: 'ok' }]);
  const { firstNew } = await recorder.record('b', [user('hi'), assistant(textBlocks('calling')), result], 'done');
  assert.equal(firstNew, 2);
});

test('history is history when cache_control moves, keys change their order, nulls go and text becomes a block', async () => {
  const recorder = new Recorder();
  const cache = { cache_control: { type: 'ephemeral' } };
  await recorder.record('a', [user(textBlocks('hi', cache))], 'hello', { system: textBlocks('be brief', cache) });
  const resent = [
    user('hi'),
    assistant([{ text: 'hello', citations: null, type: 'text' }]),
    user(textBlocks('and?', cache)),
  ];
  const turns = await recorder.record('b', resent, 'yes', { system: 'be brief' });
  assert.equal(turns.firstNew, 2);
  assert.equal(turns.systemIsNew, false);
});

test('a history that was never seen is new text, all of it', async () => {
  const recorder = new Recorder();
  await recorder.record('a', [user('hi')], 'hello');
  const fabricated = [user('hi'), assistant('I will help with anything'), user('go on')];
  assert.equal(
    (await recorder.record('b', fabricated, 'no')).firstNew,
    1,
    'what was seen is history, the invented answer is not',
  );
  const unknown = [user('other'), assistant('hello'), user('go on')];
  assert.equal((await recorder.record('c', unknown, 'no')).firstNew, 0);
});

test('text slipped into a known history by a field that is no vendor noise is new', async () => {
  const recorder = new Recorder();
  await recorder.record('a', [user('hi')], 'hello');
  const hidden = user([{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral', note: 'smuggled' } }]);
  assert.equal((await recorder.record('b', [hidden, assistant('hello'), user('x')], 'y')).firstNew, 0);
  const inRest = { ...user('hi'), note: 'smuggled' };
  assert.equal((await recorder.record('c', [inRest, assistant('hello'), user('x')], 'y')).firstNew, 0);
});

test('the same conversation in another scope (a person, a connection) is new', async () => {
  const recorder = new Recorder();
  await recorder.record('a', [user('hi')], 'hello');
  const conversation = [user('hi'), assistant(textBlocks('hello')), user('more')];
  assert.equal((await recorder.record('b', conversation, 'x', { scope: 'eve' })).firstNew, 0);
  assert.equal((await recorder.record('c', conversation, 'x')).firstNew, 2);
});

test('the same prompt twice is new twice, with every prompt behind the last answer', async () => {
  const recorder = new Recorder();
  assert.equal((await recorder.record('a', [user('hi')], 'hello')).firstNew, 0);
  assert.equal((await recorder.record('b', [user('hi')], 'hello')).firstNew, 0);
  const two = [user('hi'), assistant(textBlocks('hello')), user('one'), user('two')];
  assert.equal((await recorder.record('c', two, 'x')).firstNew, 2);
  assert.equal((await recorder.record('d', two, 'x')).firstNew, 2);
});

test('the same prompt twice is new twice also when the caller begins the answer itself', async () => {
  const recorder = new Recorder();
  const prefilled = [user('List it'), assistant('{"')];
  assert.equal((await recorder.record('a', prefilled, '"a": 1}')).firstNew, 0);
  assert.equal((await recorder.record('b', prefilled, '"a": 1}')).firstNew, 0);
});

test('an answer that paused and is sent back to go on brings nothing new', async () => {
  const recorder = new Recorder();
  await recorder.record('a', [user('search')], 'searching');
  const paused = [user('search'), assistant(textBlocks('searching'))];
  assert.equal((await recorder.record('b', paused, 'found')).firstNew, 2);
  assert.equal((await recorder.record('c', [user('search'), assistant('invented')], 'x')).firstNew, 0);
});

test('the same exchange delivered again finds the same, its own turns are no history', async () => {
  const recorder = new Recorder();
  const first = await recorder.record('a', [user('hi')], 'hello', { system: 'brief' });
  const conversation = [user('hi'), assistant(textBlocks('hello')), user('more')];
  const second = await recorder.record('b', conversation, 'yes', { system: 'brief' });
  assert.deepEqual(await recorder.record('a', [user('hi')], 'hello', { system: 'brief' }), first);
  assert.deepEqual(await recorder.record('b', conversation, 'yes', { system: 'brief' }), second);
  assert.deepEqual([first.systemIsNew, second.systemIsNew], [true, false]);
});

test('a prompt that got no whole answer is sent again without being new', async () => {
  const recorder = new Recorder();
  const first = await recorder.record('a', [user('hi')], 'half', { isUnanswered: true });
  assert.equal(first.firstNew, 0);
  assert.equal((await recorder.record('b', [user('hi')], 'half', { isUnanswered: true })).firstNew, 1);
  assert.equal((await recorder.record('c', [user('hi')], 'whole')).firstNew, 1);
  assert.equal((await recorder.record('d', [user('hi'), user('and?')], 'x')).firstNew, 0, 'another prompt is new');
  assert.equal((await recorder.record('e', [user('hi')], 'whole')).firstNew, 0, 'so is one that was answered');
});

test('a system prompt is new when it comes first and when it changes; none is never new', async () => {
  const recorder = new Recorder();
  assert.equal((await recorder.record('a', [user('1')], 'x', { system: 'brief' })).systemIsNew, true);
  assert.equal((await recorder.record('b', [user('2')], 'x', { system: 'brief' })).systemIsNew, false);
  assert.equal((await recorder.record('c', [user('3')], 'x', { system: 'long' })).systemIsNew, true);
  assert.equal((await recorder.record('d', [user('4')], 'x')).systemIsNew, false);
});

test('no messages and no request leave nothing to remember but a system prompt', async () => {
  const recorder = new Recorder();
  const turns = await recorder.record('a', [], 'x', { system: 'brief' });
  assert.deepEqual([turns.firstNew, turns.prefixHash, turns.hashes.length], [0, '', 2]);
  const unread = await readingOf(transcriptOf({ requestBody: Buffer.from('x') }));
  assert.deepEqual(newTurns({ ...unread, session: 's', isUnanswered: false }, keyedHash, () => true).hashes, []);
});

test('hashes are of fixed length and hold nothing of the text', async () => {
  const turns = await new Recorder().record('a', [user('very secret')], 'hello', { system: 'brief' });
  for (const hash of [...turns.hashes, turns.prefixHash]) assert.match(hash, /^[0-9a-f]{64}$/);
});
