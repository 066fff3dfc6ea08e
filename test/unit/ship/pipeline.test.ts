import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { Delivery } from '../../../extproc/index/port.ts';
import type { Turns } from '../../../extproc/index/seen-turns.ts';
import type { RecordInput } from '../../../extproc/policy/input.ts';
import type { PipelineParts } from '../../../extproc/ship/pipeline.ts';
import { createPipeline } from '../../../extproc/ship/pipeline.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import {
  ada,
  exchangeIdOf,
  keyedHash,
  masker,
  messageOf,
  messagesRequest,
  transcriptOf,
} from '../transcript/example.ts';

/** The pipeline before an index in memory that takes each id once and remembers turns, as SQLite's does. */
function rig(overrides: Partial<PipelineParts> = {}) {
  const documents = new Map<string, ExchangeDocument>();
  const firstBy = new Map<string, string>();
  const failures: string[] = [];
  const attempts: ExchangeDocument[] = [];
  const pipeline = createPipeline({
    masker,
    policy: { record: () => ({ keep: 'full', retention_class: 'standard', reasons: [] }) },
    index: {
      turns: { firstSeenBy: (scope, hash) => firstBy.get(`${scope} ${hash}`) ?? null, remember: () => {} },
      async deliverWithTurns(document: ExchangeDocument, turns: Turns): Promise<Delivery> {
        attempts.push(document);
        for (const hash of turns.hashes) {
          const key = `${turns.scope} ${hash}`;
          if (!firstBy.has(key)) firstBy.set(key, document.event.id);
        }
        if (documents.has(document.event.id)) return { kind: 'duplicate' };
        documents.set(document.event.id, document);
        return { kind: 'accepted' };
      },
    },
    keyedHash,
    textMaxChars: 10_000,
    reduced: new Set(),
    onMaskingFailed: (exchangeId, reason) => failures.push(`${exchangeId} ${reason}`),
    ...overrides,
  });
  const deliver = async (transcript: Transcript): Promise<ExchangeDocument> => {
    await pipeline.deliver(transcript);
    const document = attempts.at(-1);
    assert.ok(document !== undefined);
    return document;
  };
  return { pipeline, deliver, documents, failures };
}

function chatTurn(id: number, said: string[], more: Parameters<typeof transcriptOf>[0] = {}): Transcript {
  const messages = said.map((content, at) => ({ role: at % 2 === 0 ? 'user' : 'assistant', content }));
  const answer = messageOf(`answer to ${said.at(-1)}`);
  return transcriptOf({
    id: exchangeIdOf(id),
    request: { ...messagesRequest('', { system: 'be brief' }), messages },
    answer,
    ...more,
  });
}

test('a chat of 30 turns gives each message once in the index, whatever is resent', async () => {
  const { deliver, documents } = rig();
  const said: string[] = [];
  for (let turn = 0; turn < 30; turn += 1) {
    said.push(`question ${turn}`);
    await deliver(chatTurn(turn, said));
    said.push(`answer to question ${turn}`);
  }
  const texts = [...documents.values()].map(({ gen_ai: genAi }) => [genAi.input.text, genAi.output.text]);
  assert.deepEqual(texts.flat(), ['be brief\n\nquestion 0', ...said.slice(1)]);
  assert.equal([...documents.values()].at(-1)?.skilltape.history.message_count, 58);
});

test('the same conversation of another person, of another issuer or on another connection is new text', async () => {
  const { deliver } = rig();
  await deliver(chatTurn(1, ['hi']));
  const conversation = ['hi', 'answer to hi', 'more'];
  const others = [
    { identity: { ...ada, subject: 'u-eve' } },
    { identity: { ...ada, issuer: 'https://other.example.org' } },
    { connection: 'sandbox' },
    { identity: null },
  ];
  for (const [at, started] of others.entries()) {
    const document = await deliver(chatTurn(10 + at, conversation, { started }));
    assert.equal(document.skilltape.new_messages.length, 3);
  }
  const renamed = { identity: { ...ada, name: 'Ada King', email: 'king@example.org', groups: [] } };
  const same = await deliver(chatTurn(20, conversation, { started: renamed }));
  assert.equal(same.skilltape.new_messages.length, 1, 'issuer and subject are the person, not name or address');
});

test('two callers without an identity never share a history', async () => {
  const { deliver } = rig();
  await deliver(chatTurn(1, ['hi'], { started: { identity: null } }));
  const document = await deliver(chatTurn(2, ['hi', 'answer to hi', 'x'], { started: { identity: null } }));
  assert.equal(document.skilltape.new_messages.length, 3);
});

test('the same exchange delivered again gives the identical document', async () => {
  const { deliver, documents } = rig();
  const first = chatTurn(1, ['hi ada@example.org']);
  const second = chatTurn(2, ['hi ada@example.org', 'answer to hi ada@example.org', 'more']);
  const before = [await deliver(first), await deliver(second)];
  const again = [await deliver(first), await deliver(second)];
  assert.deepEqual(again, before);
  assert.deepEqual(
    before.map(({ skilltape }) => skilltape.system),
    ['be brief', null],
  );
  assert.equal(documents.size, 2);
});

test('what policy keeps as metadata has no text, and is new text when it is kept later', async () => {
  let keep: 'full' | 'metadata' = 'metadata';
  const { deliver } = rig({ policy: { record: () => ({ keep, retention_class: 'standard', reasons: [] }) } });
  const hidden = await deliver(chatTurn(1, ['SAID']));
  assert.ok(!JSON.stringify(hidden).includes('SAID'));
  keep = 'full';
  const shown = await deliver(chatTurn(2, ['SAID', 'answer to SAID', 'more']));
  assert.equal(shown.skilltape.new_messages.length, 3);
});

test('policy record is asked with the answer; without a verdict it is not asked and metadata is kept', async () => {
  const inputs: RecordInput[] = [];
  const { deliver } = rig({
    policy: {
      record: (input) => {
        inputs.push(input);
        return { keep: 'full', retention_class: 'standard', reasons: [] };
      },
    },
  });
  await deliver(transcriptOf());
  assert.deepEqual(
    inputs.map(({ answer, verdict }) => [answer?.stop_reason, verdict.decision]),
    [['end_turn', 'allow']],
  );
  const refused = await deliver(transcriptOf({ id: exchangeIdOf(2), decided: null }));
  assert.equal(inputs.length, 1);
  assert.equal(refused.skilltape.keep, 'metadata');
});

test('when the masker fails, always or now and then, the exchange is found by its metadata and no content', async () => {
  const failing = {
    json: () => {
      throw new SkilltapeError('masking_failed', 'masking failed with RangeError');
    },
  };
  const { deliver, failures } = rig({ masker: failing });
  const document = await deliver(chatTurn(1, ['SAID']));
  assert.ok(!JSON.stringify(document).includes('SAID'));
  assert.deepEqual([document.skilltape.masking.status, document.skilltape.keep], ['failed', 'metadata']);
  assert.deepEqual(failures, [`${exchangeIdOf(1)} masking failed with RangeError`]);
});

test('turns of an exchange whose masking failed are no history: nobody can read them in the index', async () => {
  let broken = true;
  const sometimes: PipelineParts['masker'] = {
    json: (value, options) => {
      if (broken) throw new SkilltapeError('masking_failed', 'masking failed with Error');
      return masker.json(value, options);
    },
  };
  const { deliver } = rig({ masker: sometimes });
  await deliver(chatTurn(1, ['hi']));
  broken = false;
  const document = await deliver(chatTurn(2, ['hi', 'answer to hi', 'more']));
  assert.equal(document.skilltape.new_messages.length, 3);
});

test('whatever else fails on what an exchange holds leaves its metadata, and a reason without content', async () => {
  const { deliver, failures } = rig({
    policy: {
      record: () => {
        throw new TypeError('no "SAID" here');
      },
    },
  });
  const document = await deliver(chatTurn(1, ['SAID']));
  assert.equal(document.skilltape.masking.status, 'failed');
  assert.deepEqual(failures, [`${exchangeIdOf(1)} TypeError`]);
});

test('an exchange in which the thread died is not read again, and its metadata says so', async () => {
  const { deliver, failures } = rig({ reduced: new Set([exchangeIdOf(1)]) });
  const document = await deliver(transcriptOf());
  assert.equal(document.skilltape.masking.status, 'failed');
  assert.match(failures.join(), /ended the thread/);
  assert.equal((await deliver(transcriptOf({ id: exchangeIdOf(2) }))).skilltape.masking.status, 'masked');
});

test('an index that cannot be asked for earlier turns means: try again, never a document without its history', async () => {
  const failing: PipelineParts['index'] = {
    turns: {
      firstSeenBy: () => {
        throw new SkilltapeError('index_failed', 'could not look up a turn: database is locked');
      },
      remember: () => {},
    },
    deliverWithTurns: () => assert.fail('nothing must be delivered'),
  };
  const { pipeline, failures } = rig({ index: failing });
  const delivery = await pipeline.deliver(transcriptOf());
  assert.deepEqual(delivery, { kind: 'retry', reason: 'could not look up a turn: database is locked' });
  assert.deepEqual(failures, []);
});

test('the request hash is keyed and is that of the exact bytes', async () => {
  const { deliver } = rig();
  const one = await deliver(transcriptOf({ id: exchangeIdOf(1), requestBody: Buffer.from([0xff, 0xfe]) }));
  const two = await deliver(transcriptOf({ id: exchangeIdOf(2), requestBody: Buffer.from([0xff, 0xfd]) }));
  const same = await deliver(transcriptOf({ id: exchangeIdOf(3), requestBody: Buffer.from([0xff, 0xfe]) }));
  assert.notEqual(one.skilltape.request_hash, two.skilltape.request_hash);
  assert.equal(one.skilltape.request_hash, same.skilltape.request_hash);
  assert.equal(one.skilltape.request_hash, keyedHash('request', Buffer.from([0xff, 0xfe])));
});
