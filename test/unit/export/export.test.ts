import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { chatPartOf } from '../../../extproc/export/chat.ts';
import { type ExportParts, exportChats } from '../../../extproc/export/export.ts';
import { type ChatLine, chatLineOf } from '../../../extproc/export/line.ts';
import { conversationsOf } from '../../../extproc/export/threads.ts';
import type { SearchQuery } from '../../../extproc/index/port.ts';
import { SqliteSearch } from '../../../extproc/index/sqlite/search.ts';
import { SqliteIndex } from '../../../extproc/index/sqlite/writer.ts';
import type { Masked } from '../../../extproc/masking/masked.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import { reducedDocument } from '../../../extproc/transcript/reduced-document.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { documentOf } from '../../builders/document.ts';
import { beganMs, documentsOf, type Step, textsOf } from './chats.ts';

const seed = Number(process.env.SKILLTAPE_TEST_SEED ?? 20260115);
const to = new Date('2026-02-01');

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    chat: fc.nat(3),
    isAnswered: fc.boolean(),
    lastsMs: fc.integer({ min: 1, max: 5_000 }),
    nextAfterMs: fc.integer({ min: 0, max: 5_000 }),
  }),
  { minLength: 1, maxLength: 24 },
);

async function exported(
  t: Pick<TestContext, 'after'>,
  documents: readonly Masked<ExchangeDocument>[],
  query: SearchQuery = {},
  parts: Partial<ExportParts> = {},
) {
  const directory = temporaryDirectory(t as TestContext);
  const index = SqliteIndex.open(directory);
  await index.deliver(documents);
  await index.close();
  const search = SqliteSearch.open(directory);
  const lines: ChatLine[] = [];
  const sink = {
    append: async (conversation: Parameters<typeof chatLineOf>[0]) => {
      lines.push(JSON.parse(JSON.stringify(chatLineOf(conversation))));
    },
  };
  try {
    const all = { index: search, sink, isErased: async () => false, onProgress: () => {}, ...parts };
    return { ...(await exportChats({ ...query, to }, all)), lines };
  } finally {
    await search.close();
  }
}

const chatsIn = (line: ChatLine) => new Set(textsOf(line.messages).map((text) => text.split(' ')[1]));

test('whatever runs side by side: each turn is exported once, in order, and no line mixes two conversations', () => {
  fc.assert(
    fc.property(steps, (run) => {
      const documents = documentsOf(run).sort((a, b) => (a['@timestamp'] < b['@timestamp'] ? -1 : 1));
      const lines = conversationsOf(documents.map(chatPartOf)).map((one) => chatLineOf(one) ?? assert.fail());
      for (const line of lines) {
        assert.equal(chatsIn(line).size, 1);
        const places = textsOf(line.messages).map((text) => Number(text.split(' ').at(-1)));
        assert.deepEqual(
          places,
          places.toSorted((a, b) => a - b),
        );
      }
      const texts = lines.flatMap(({ messages }) => textsOf(messages));
      assert.equal(new Set(texts).size, texts.length);
      assert.equal(texts.length, run.length + run.filter(({ isAnswered }) => isAnswered).length);
    }),
    { seed, numRuns: 400 },
  );
});

test('one after the other, a conversation is one line', () => {
  fc.assert(
    fc.property(steps, (run) => {
      const alone = run.map((step) => ({ ...step, chat: 0 }));
      const [line, ...others] = conversationsOf(documentsOf(alone).map(chatPartOf)).map(chatLineOf);
      assert.equal(others.length, 0);
      assert.equal(line?.exchanges.length, run.length);
      assert.equal(line?.history_messages, 0);
    }),
    { seed, numRuns: 100 },
  );
});

test('where a filter leaves some out no line mixes two conversations either', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const { lines, counts } = await exported(t, documentsOf(run), { outcome: 'complete' });
      for (const line of lines) assert.equal(chatsIn(line).size, 1);
      assert.equal(counts.exchanges, run.filter(({ isAnswered }) => isAnswered).length);
      assert.equal(
        lines.reduce((sum, line) => sum + line.exchanges.length, 0),
        counts.exchanges,
      );
    }),
    { seed, numRuns: 25 },
  );
});

test('sessions are exported in the order in which they began, each by itself', async (t) => {
  const first = documentsOf([{ chat: 1, isAnswered: true, lastsMs: 5, nextAfterMs: 60_000 }], 'zebra');
  const both = documentsOf(
    [2, 3].map((chat) => ({ chat, isAnswered: true, lastsMs: 5, nextAfterMs: 10 })),
    'ant',
  ).map((document, at) => ({ ...document, event: { ...document.event, id: `later-${at}` } }));
  // It begins inside the other, and so after it.
  const between = first.map((one) => ({ ...one, '@timestamp': new Date(beganMs + 5).toISOString() }));
  const { lines } = await exported(t, [...both.reverse(), ...between]);
  assert.deepEqual(
    lines.map(({ session, id }) => [session, id]),
    [
      ['ant', 'later-0'],
      ['ant', 'later-1'],
      ['zebra', 'e-0000'],
    ],
  );
});

test('who was erased, what could not be masked, what has metadata only or no message is left out and counted', async (t) => {
  const failed = documentOf({ id: 'failed', skilltape: { keep: 'metadata' } });
  failed.skilltape.masking.status = 'failed';
  const documents = [
    documentOf({ id: 'kept' }),
    documentOf({ id: 'erased', user: { id: 'gone' } }),
    failed,
    reducedDocument(documentOf({ id: 'reduced' })),
    documentOf({ id: 'list', skilltape: { new_messages: [], answer: { type: 'files', content: [{}] } } }),
  ];
  const { lines, counts, revisions } = await exported(
    t,
    documents,
    {},
    {
      isErased: async ({ user }) => user?.id === 'gone',
    },
  );
  assert.deepEqual(
    lines.flatMap(({ exchanges }) => exchanges.map(({ id }) => id)),
    ['kept'],
  );
  assert.deepEqual(counts.left_out, { erased: 1, masking_failed: 1, metadata_only: 1, no_messages: 1, gone: 0 });
  assert.deepEqual([counts.conversations, counts.exchanges], [1, 1]);
  assert.equal(revisions.length, 1);
});

test('tools, system prompt, tool use and its result stand as in the API; a text alone is one part', () => {
  const tools = [{ name: 'read', input_schema: { type: 'object' } }];
  const use = { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } };
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'text of a' };
  const first = documentOf({
    skilltape: {
      ...{ system: 'be brief', tools, new_messages: [{ role: 'user', content: 'read a' }] },
      answer: { type: 'message', role: 'assistant', content: [use], stop_reason: 'tool_use' },
    },
  });
  const second = documentOf({
    ...{ id: 'second', time: '2026-01-15T10:00:10.000Z', responseModel: 'claude-next' },
    skilltape: {
      ...{ history: { message_count: 2, prefix_hash: '' }, new_messages: [{ role: 'user', content: [result] }] },
      answer: { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'It says so.' }] },
      skill: [{ name: 'pdf', version: '', source: 'container' }],
    },
  });
  const [conversation = [], ...others] = conversationsOf([first, second].map(chatPartOf));
  assert.equal(others.length, 0);
  const line = chatLineOf(conversation) ?? assert.fail();
  assert.deepEqual(line.messages, [
    { role: 'system', content: [{ type: 'text', text: 'be brief' }] },
    { role: 'user', content: [{ type: 'text', text: 'read a' }] },
    { role: 'assistant', content: [use] },
    { role: 'user', content: [result] },
    { role: 'assistant', content: [{ type: 'text', text: 'It says so.' }] },
  ]);
  assert.deepEqual([line.tools, line.skills, line.models.at(-1)], [tools, ['pdf'], 'claude-next']);
});

test('at a limit it refuses with a remedy, or begins new lines; it drops nothing', async (t) => {
  const run = Array.from({ length: 9 }, () => ({ chat: 0, isAnswered: true, lastsMs: 1, nextAfterMs: 10 }));
  const limits = { sessionsMax: 10, sessionExchangesMax: 10, heldMaxBytes: 1e9 };
  const documents = documentsOf(run);
  const few = { ...limits, sessionExchangesMax: 8 };
  await assert.rejects(exported(t, documents, {}, { limits: few }), /more than 8 exchanges in what is to be exported/);
  const many = documents.map((document, at) => ({
    ...document,
    skilltape: { ...document.skilltape, session: { id: `s-${at}`, source: 'exchange' } },
  }));
  await assert.rejects(exported(t, many, {}, { limits: { ...limits, sessionsMax: 8 } }), /more than 8 sessions/);
  const { lines, counts } = await exported(t, documents, {}, { limits: { ...limits, heldMaxBytes: 3_000 } });
  assert.ok(lines.length > 1 && lines.length <= 9, String(lines.length));
  assert.equal(counts.exchanges, 9);
  assert.equal(new Set(lines.flatMap(({ messages }) => textsOf(messages))).size, 18);
  assert.ok((lines.at(-1)?.history_messages ?? 0) > 0);
});
