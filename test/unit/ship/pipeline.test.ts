import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { Delivery } from '../../../extproc/index/port.ts';
import { ownedKey, ownerKey } from '../../../extproc/link-key.ts';
import type { FindingType } from '../../../extproc/masking/finding.ts';
import { builtInDetection, detectionOf } from '../../../extproc/masking/own-detection.ts';
import type { RecordInput } from '../../../extproc/policy/input.ts';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import type { NameFinder } from '../../../extproc/ship/name-finder.ts';
import type { PipelineParts } from '../../../extproc/ship/pipeline.ts';
import { createPipeline } from '../../../extproc/ship/pipeline.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { ownList, ownNames, ownRule } from '../masking/own-list.ts';
import {
  ada,
  exchangeIdOf,
  keyedHash,
  masker,
  messageOf,
  messagesRequest,
  transcriptOf,
} from '../transcript/example.ts';
import { MapMemory } from './map-memory.ts';

/** Memory and index in one: each id is taken once, and the first exchange to name a turn or a thing keeps it. */
function rig(overrides: Partial<PipelineParts> = {}) {
  const documents = new Map<string, ExchangeDocument>();
  const failures: string[] = [];
  const found: string[] = [];
  const attempts: ExchangeDocument[] = [];
  const memory = new MapMemory();
  const pipeline = createPipeline({
    masker,
    detection: () => builtInDetection,
    policy: { record: () => ({ keep: 'full', retention_class: 'standard', masking: usualMasking, reasons: [] }) },
    tokenKeeper: null,
    memory,
    spendOf: () => 0,
    decoding: decodingLimits,
    index: {
      async deliver(batch) {
        attempts.push(...batch);
        return batch.map((document): Delivery => {
          if (documents.has(document.event.id)) return { kind: 'duplicate' };
          documents.set(document.event.id, document);
          return { kind: 'accepted' };
        });
      },
    },
    keyedHash,
    textMaxChars: 10_000,
    maskingBudgetMs: 30_000,
    names: null,
    reduced: new Set(),
    archive: null,
    onReading: () => {},
    onMaskingFailed: (exchangeId, reason) => failures.push(`${exchangeId} ${reason}`),
    onFindings: (type, count) => found.push(`${count} ${type}`),
    ...overrides,
  });
  const deliver = async (transcript: Transcript): Promise<ExchangeDocument> => {
    const before = attempts.length;
    await pipeline.deliver([transcript], []);
    const document = attempts[before];
    assert.ok(document !== undefined);
    return document;
  };
  return { pipeline, deliver, documents, failures, found, memory, attempts };
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

test('what an answer made is remembered with its owner, also where its text could not be kept', async () => {
  const answer = messageOf('Done', { container: { id: 'container_1' } });
  const container = new Map([[ownedKey(keyedHash, 'container', 'container_1'), ownerKey(keyedHash, ada, 'claude')]]);
  const { deliver, memory } = rig();
  await deliver(transcriptOf({ answer }));
  await deliver(transcriptOf({ id: exchangeIdOf(2), answer, started: { identity: { ...ada, subject: 'u-bob' } } }));
  assert.deepEqual(memory.owners, container, 'the first stays');
  const failing = new MapMemory();
  const policy = {
    record(): never {
      throw new Error('no decision');
    },
  };
  const broken = rig({ memory: failing, policy });
  await broken.deliver(transcriptOf({ answer }));
  assert.equal(broken.failures.length, 1);
  assert.deepEqual(failing.owners, container);
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
  const { deliver } = rig({
    policy: { record: () => ({ keep, retention_class: 'standard', masking: usualMasking, reasons: [] }) },
  });
  const hidden = await deliver(chatTurn(1, ['SAID']));
  assert.ok(!JSON.stringify(hidden).includes('SAID'));
  keep = 'full';
  const shown = await deliver(chatTurn(2, ['SAID', 'answer to SAID', 'more']));
  assert.equal(shown.skilltape.new_messages.length, 3);
});

test('what policy record says of masking is done, and what was found is told of what the index took', async () => {
  const masking = { ...usualMasking, plain: ['EMAIL' as const], drop: ['answer' as const] };
  const { pipeline, documents, found } = rig({
    policy: { record: () => ({ keep: 'full', retention_class: 'standard', masking, reasons: [] }) },
  });
  const transcript = chatTurn(1, ['mail a@example.org and b@example.org']);
  await pipeline.deliver([transcript], []);
  const [document] = documents.values();
  assert.equal(document?.gen_ai.input.text, 'be brief\n\nmail [EMAIL] and [EMAIL]');
  assert.equal(document?.skilltape.answer, null);
  assert.deepEqual(found, ['2 EMAIL']);
  await pipeline.deliver([transcript], []);
  assert.deepEqual(found, ['2 EMAIL'], 'a duplicate counts once');
});

test("what an operator's detectors find is masked, told and left readable as policy says", async () => {
  const list = ownList({ rules: [ownRule(), ownRule({ id: 'b', type: 'BADGE', pattern: 'BDG-[0-9]{4}' })] });
  const masking = { ...usualMasking, off: ['BADGE' as FindingType], drop: ['answer' as const] };
  const own = detectionOf({ ...list, names: [ownNames(['Acme Corp'])] });
  const { pipeline, documents, found } = rig({
    detection: () => own,
    policy: { record: () => ({ keep: 'full', retention_class: 'standard', masking, reasons: [] }) },
  });
  await pipeline.deliver([chatTurn(1, ['TCK-12345 and BDG-1234 of ACME  Corp'])], []);
  const [document] = documents.values();
  assert.equal(document?.gen_ai.input.text, 'be brief\n\n[TICKET] and BDG-1234 of [CUSTOMER]');
  assert.deepEqual(document?.skilltape.masking.readable, ['BADGE']);
  assert.deepEqual(found, ['1 CUSTOMER', '1 TICKET']);
});

test('what a finder of names names is masked wherever it stands, in JSON in strings, in keys and in the answer', async () => {
  const asked: string[][] = [];
  const names: NameFinder = {
    async find(texts) {
      asked.push([...texts]);
      return [
        { value: 'Ada Lovelace', type: 'NAME' },
        { value: '12 Main St', type: 'ADDRESS' },
      ];
    },
  };
  const { pipeline, documents, found } = rig({ names });
  const inner = JSON.stringify({ 'ada lovelace': ['of 12  Main St', 'r\u00f4le'] });
  await pipeline.deliver([chatTurn(1, [`Ada Lovelace wrote ${inner}`]), chatTurn(2, [inner])], []);
  for (const document of documents.values()) {
    assert.doesNotMatch(JSON.stringify(document), /lovelace|main st/i);
    assert.match(document.gen_ai.input.text, /\[NAME:[0-9a-f]{16}\]/);
  }
  assert.ok(asked.flat().includes('of 12  Main St'), 'JSON in a string is asked about piece by piece');
  assert.ok(found.some((told) => / NAME$/.test(told)) && found.some((told) => / ADDRESS$/.test(told)));
});

test('where the finder of names fails, metadata is kept and nothing of the text', async () => {
  const names: NameFinder = {
    find: () => Promise.reject(new SkilltapeError('masking_failed', 'the finder of names failed: it is away')),
  };
  const { deliver, failures } = rig({ names });
  const document = await deliver(chatTurn(1, ['Ada Lovelace wrote']));
  assert.deepEqual([document.skilltape.masking.status, document.skilltape.keep], ['failed', 'metadata']);
  assert.doesNotMatch(JSON.stringify(document), /Lovelace|wrote/);
  assert.match(failures[0] ?? '', /the finder of names failed: it is away/);
});

test('policy record is asked with the answer; without a verdict it is not asked and metadata is kept', async () => {
  const inputs: RecordInput[] = [];
  const { deliver } = rig({
    policy: {
      record: (input) => {
        inputs.push(input);
        return { keep: 'full', retention_class: 'standard', masking: usualMasking, reasons: [] };
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

test('the same exchange read once and reduced the next time leaves no turns behind', async () => {
  const memory = new MapMemory();
  await rig({ memory }).deliver(chatTurn(1, ['hi']));
  await rig({ memory, reduced: new Set([exchangeIdOf(1)]) }).deliver(chatTurn(1, ['hi']));
  const document = await rig({ memory }).deliver(chatTurn(2, ['hi', 'answer to hi', 'more']));
  assert.equal(document.skilltape.new_messages.length, 3);
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

test('of a batch whose masking failed half way, the first half is no history either', async () => {
  let broken = true;
  const failing = (text: string): void => {
    if (broken && text.includes('poison')) throw new SkilltapeError('masking_failed', 'masking failed with Error');
  };
  const { pipeline, deliver } = rig({
    masker: {
      json: (value, options) => {
        failing(JSON.stringify(value));
        return masker.json(value, options);
      },
    },
  });
  const entries = ['wholesome', 'poison'].map((said) => ({
    custom_id: said,
    params: messagesRequest(said, { system: 'be brief' }),
  }));
  const batch = transcriptOf({
    request: { requests: entries },
    answer: { id: 'msgbatch_1', type: 'message_batch' },
    started: { path: '/v1/messages/batches' },
  });
  await pipeline.deliver([batch], []);
  broken = false;
  const later = await deliver(chatTurn(2, ['hi']));
  assert.equal(later.skilltape.system, 'be brief');
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

test('a memory that cannot be asked for earlier turns means: try again, never a document without its history', async () => {
  const memory = new MapMemory();
  memory.turns.firstSeenBy = () => {
    throw new SkilltapeError('index_failed', 'could not look up a turn: database is locked');
  };
  const index = { deliver: () => assert.fail('nothing must be delivered') };
  const { pipeline, failures } = rig({ memory, index });
  const deliveries = await pipeline.deliver([transcriptOf()], []);
  assert.deepEqual(deliveries, [{ kind: 'retry', reason: 'could not look up a turn: database is locked' }]);
  assert.deepEqual(failures, []);
});

test('exchanges of one delivery find one another: history is history, also when it was not written yet', async () => {
  const { pipeline, documents } = rig();
  await pipeline.deliver([chatTurn(1, ['hi']), chatTurn(2, ['hi', 'answer to hi', 'more'])], []);
  const second = documents.get(exchangeIdOf(2));
  assert.deepEqual([second?.skilltape.new_messages.length, second?.skilltape.system], [1, null]);
});

test('an index that takes nothing now leaves the same documents for the next time', async () => {
  const refused: ExchangeDocument[][] = [];
  const memory = new MapMemory();
  const away = rig({
    memory,
    index: {
      async deliver(batch) {
        refused.push([...batch]);
        return batch.map((): Delivery => ({ kind: 'retry', reason: 'away' }));
      },
    },
  });
  const both = [chatTurn(1, ['hi']), chatTurn(2, ['hi', 'answer to hi', 'more'])];
  assert.deepEqual(await away.pipeline.deliver(both, []), Array(2).fill({ kind: 'retry', reason: 'away' }));
  const back = rig({ memory });
  assert.deepEqual(await back.pipeline.deliver(both, []), Array(2).fill({ kind: 'accepted' }));
  assert.deepEqual([...back.documents.values()], refused[0]);
});

test('an index that is away is asked again with the same documents, which are not read and masked once more', async () => {
  let masked = 0;
  let isAway = true;
  const counting: PipelineParts['masker'] = {
    json: (value, options) => {
      masked += 1;
      return masker.json(value, options);
    },
  };
  const index: PipelineParts['index'] = {
    deliver: async (batch) =>
      batch.map((): Delivery => (isAway ? { kind: 'retry', reason: 'away' } : { kind: 'accepted' })),
  };
  const { pipeline } = rig({ masker: counting, index });
  const both = [chatTurn(1, ['hi']), chatTurn(2, ['hi', 'answer to hi', 'more'])];
  for (let asked = 0; asked < 5; asked += 1) await pipeline.deliver(both, []);
  isAway = false;
  assert.deepEqual(await pipeline.deliver(both, []), Array(2).fill({ kind: 'accepted' }));
  assert.equal(masked, 2);
});

test('what an index refuses for good is in no index, so its text is new when it comes again', async () => {
  const memory = new MapMemory();
  const index = {
    deliver: async (batch: readonly unknown[]) => batch.map((): Delivery => ({ kind: 'rejected', reason: 'no' })),
  };
  const refusing = rig({ memory, index });
  assert.deepEqual(await refusing.pipeline.deliver([chatTurn(1, ['hi'])], []), [{ kind: 'rejected', reason: 'no' }]);
  const { deliver } = rig({ memory });
  const document = await deliver(chatTurn(2, ['hi', 'answer to hi', 'more']));
  assert.equal(document.skilltape.new_messages.length, 3);
});

test('of a batch whose own document is refused, the text of the prompts that were taken is not new again', async () => {
  const memory = new MapMemory();
  const entries = [{ custom_id: 'c1', params: messagesRequest('prompt 1', { system: 'be brief' }) }];
  const index: PipelineParts['index'] = {
    deliver: async (documents) =>
      documents.map(
        ({ event }): Delivery => (event.id.endsWith('.1') ? { kind: 'accepted' } : { kind: 'rejected', reason: 'no' }),
      ),
  };
  const batch = transcriptOf({
    request: { requests: entries },
    answer: { id: 'msgbatch_1', type: 'message_batch' },
    started: { path: '/v1/messages/batches' },
  });
  await rig({ memory, index }).pipeline.deliver([batch], []);
  const later = await rig({ memory }).deliver(chatTurn(2, ['hi']));
  assert.equal(later.skilltape.system, null);
});

test('an exchange that is shipped again after the policy changed keeps its class, read or not', async () => {
  const memory = new MapMemory();
  const classAfter = async (retentionClass: string, more: Partial<PipelineParts> = {}): Promise<string> => {
    const policy: PipelineParts['policy'] = {
      record: () => ({ keep: 'full', retention_class: retentionClass, masking: usualMasking, reasons: [] }),
    };
    const { deliver } = rig({ memory, policy, ...more });
    return (await deliver(chatTurn(1, ['hi']))).skilltape.retention_class;
  };
  assert.equal(await classAfter('long'), 'long');
  assert.equal(await classAfter('short'), 'long');
  assert.equal(await classAfter('short', { reduced: new Set([exchangeIdOf(1)]) }), 'long');
});

test('an exchange is delivered when all documents of its batch are', async () => {
  const entries = [1, 2].map((n) => ({ custom_id: `c${n}`, params: messagesRequest(`prompt ${n}`) }));
  const batch = transcriptOf({
    request: { requests: entries },
    answer: { id: 'msgbatch_1', type: 'message_batch' },
    started: { path: '/v1/messages/batches' },
  });
  const outcomes = (second: Delivery): PipelineParts['index'] => ({
    deliver: async (documents) =>
      documents.map(({ event }): Delivery => (event.id.endsWith('.2') ? second : { kind: 'accepted' })),
  });
  const taken = rig();
  assert.deepEqual(await taken.pipeline.deliver([batch], []), [{ kind: 'accepted' }]);
  assert.equal(taken.documents.size, 3);
  for (const second of [
    { kind: 'retry', reason: 'busy' },
    { kind: 'rejected', reason: 'no' },
  ] satisfies Delivery[]) {
    assert.deepEqual(await rig({ index: outcomes(second) }).pipeline.deliver([batch], []), [second]);
  }
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

test('where policy shows no names, no document has one, whether it was judged, read or not', async () => {
  const hidden = { person: 'pseudonym', address: 'dropped', groups: 'dropped' } as const;
  const judged = () => ({ keep: 'full' as const, retention_class: 'standard', masking: usualMasking, reasons: [] });
  const policy = { record: () => ({ ...judged(), privacy: hidden }), unjudgedPrivacy: hidden };
  const failing: PipelineParts['masker'] = {
    json() {
      throw new Error('no');
    },
  };
  const transcript = chatTurn(1, ['hi']);
  const { identity } = transcript.started;
  for (const parts of [{ policy }, { policy, masker: failing }, { policy, reduced: new Set([exchangeIdOf(1)]) }]) {
    const { user, source } = await rig(parts).deliver(chatTurn(1, ['hi']));
    assert.match(user?.id ?? '', /^p-[0-9a-f]{20}$/);
    assert.deepEqual([user?.name, user?.email, user?.roles, source.ip], ['', '', [], '0.0.0.0']);
    assert.ok(identity !== null && user?.id !== identity.subject);
  }
});
