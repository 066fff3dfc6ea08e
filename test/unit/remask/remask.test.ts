import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { SqliteIndex } from '../../../extproc/index/sqlite/writer.ts';
import { remask } from '../../../extproc/remask/remask.ts';
import type { DocumentMasker } from '../../../extproc/transcript/masked-document.ts';
import { masker } from '../transcript/example.ts';
import { Recorded } from './recorded.ts';

const failed = { query: { maskingFailed: true, noise: true } };
const everything = { query: { noise: true } };
const none = { selected: 0, remasked: 0, unchanged: 0, metadata: 0, failed: 0, gone: 0, absent: 0 };

/** Fails on documents that have the word in them. */
function failingOn(word: string): DocumentMasker {
  return {
    json(value, options) {
      if (JSON.stringify(value).includes(word)) throw new SkilltapeError('masking_failed', 'masking failed with Error');
      return masker.json(value, options);
    },
  };
}

test('what failed to be masked is, once it can be, as if it never had', async (t) => {
  const [recorded, healthy] = [await Recorded.open(t), await Recorded.open(t)];
  const prompts = ['first poison ada@example.org', 'harmless', 'second poison'];
  const ids: string[] = [];
  for (const prompt of prompts) ids.push(await recorded.write(prompt));
  for (const prompt of prompts) await healthy.write(prompt);
  await recorded.ship({ masker: failingOn('brief') });
  await healthy.ship();
  const before = await recorded.indexed();
  assert.deepEqual(
    ids.map((id) => before.get(id)?.skilltape.masking.status),
    ['failed', 'failed', 'failed'],
  );
  assert.equal(before.get(ids[0] ?? '')?.skilltape.masking.reason, 'masking failed with Error');
  const result = await remask(failed, recorded.remasking(t));
  assert.deepEqual(result, { counts: { ...none, selected: 3, remasked: 3 }, waiting: null, next: null });
  const texts = async (one: Recorded) => [...(await one.indexed()).values()].map(({ gen_ai: { input } }) => input.text);
  assert.deepEqual(await texts(recorded), await texts(healthy));
  assert.match((await texts(recorded))[2] ?? '', /first poison \[EMAIL:[0-9a-f]{16}\]/);
  assert.deepEqual((await remask(failed, recorded.remasking(t))).counts, none);
});

test('what is masked anew is remembered: a chat that goes on after it brings its new turn alone', async (t) => {
  const recorded = await Recorded.open(t);
  await recorded.write('poison');
  await recorded.ship({ masker: failingOn('poison') });
  await remask(failed, recorded.remasking(t));
  const second = await recorded.write(['poison', 'OK', 'more']);
  await recorded.ship();
  assert.equal((await recorded.indexed()).get(second)?.gen_ai.input.text, 'more');
});

test('a chat that went on meanwhile is not linked backwards, and all of it is in the index', async (t) => {
  const recorded = await Recorded.open(t);
  const first = await recorded.write('poison');
  const again = await recorded.write('poison');
  await recorded.write(['poison', 'OK', 'more']);
  let shipped = 0;
  const once: DocumentMasker = {
    json(value, options) {
      shipped += 1;
      if (shipped === 1) throw new SkilltapeError('masking_failed', 'masking failed with Error');
      return masker.json(value, options);
    },
  };
  await recorded.ship({ masker: once });
  await remask(failed, recorded.remasking(t));
  const documents = await recorded.indexed();
  assert.deepEqual(documents.get(first)?.skilltape.link, [], `${again} came later`);
  assert.match(documents.get(first)?.gen_ai.input.text ?? '', /poison/);
});

test('rules that find more mask what they find in a range of time; the rest is unchanged', async (t) => {
  const recorded = await Recorded.open(t, { journals: 2 });
  const blind: DocumentMasker = {
    json: (value, options) =>
      masker.json(value, { ...options, exempt: (path, text) => text.includes('@') || options.exempt(path, text) }),
  };
  const leaky = await recorded.write('mail ada@example.org', { journal: 1 });
  await recorded.write('nothing here');
  await recorded.ship({ masker: blind });
  assert.match((await recorded.indexed()).get(leaky)?.gen_ai.input.text ?? '', /ada@example\.org/);
  const { counts } = await remask(everything, recorded.remasking(t));
  assert.deepEqual(counts, { ...none, selected: 2, remasked: 1, unchanged: 1 });
  const text = (await recorded.indexed()).get(leaky)?.gen_ai.input.text ?? '';
  assert.match(text, /mail \[EMAIL:/);
  assert.deepEqual((await remask(everything, recorded.remasking(t))).counts, { ...none, selected: 2, unchanged: 2 });
});

test('what fails again, and what has no raw bytes any more, is counted and stays as it is', async (t) => {
  const recorded = await Recorded.open(t);
  const poison = await recorded.write('poison');
  await recorded.ship({ masker: failingOn('') });
  const gone = '0190f5c0-0000-7000-8000-000000000001';
  const index = SqliteIndex.open(recorded.directory);
  const document = (await recorded.indexed()).get(poison);
  assert.ok(document);
  await index.deliver([{ ...document, event: { ...document.event, id: gone } } as never]);
  await index.close();
  const before = await recorded.indexed();
  const parts = recorded.remasking(t, { masker: failingOn('poison') });
  assert.deepEqual((await remask(failed, parts)).counts, { ...none, selected: 2, failed: 1, gone: 1 });
  assert.deepEqual(parts.said, [`${poison} masking failed with Error`]);
  assert.deepEqual(await recorded.indexed(), before);
});

test('what a journal still has of a person who was erased is as if it had no raw bytes any more', async (t) => {
  const recorded = await Recorded.open(t);
  const ids = [await recorded.write('poison of hers'), await recorded.write('poison of another')];
  await recorded.ship({ masker: failingOn('poison') });
  recorded.erased.add(ids[0] ?? '');
  const { counts } = await remask(failed, recorded.remasking(t));
  assert.deepEqual(counts, { ...none, selected: 2, remasked: 1, gone: 1 });
});

test('exchanges are chosen by their ids, whether they failed or not; an unknown one is gone', async (t) => {
  const recorded = await Recorded.open(t);
  const id = await recorded.write('harmless');
  await recorded.write('another');
  await recorded.ship();
  const unknown = '0190f5c0-0000-7000-8000-000000000001';
  const { counts } = await remask({ ids: [id, unknown] }, recorded.remasking(t));
  assert.deepEqual(counts, { ...none, selected: 2, unchanged: 1, gone: 1 });
});

test('the prompts of a batch come into the index with their exchange', async (t) => {
  const recorded = await Recorded.open(t);
  const id = await recorded.write('', { body: batchOf(['poison one', 'poison two']), path: '/v1/messages/batches' });
  await recorded.ship({ masker: failingOn('poison two') });
  assert.deepEqual([...(await recorded.indexed()).keys()], [id]);
  await remask(failed, recorded.remasking(t));
  const texts = [...(await recorded.indexed()).values()].map(({ gen_ai: { input } }) => input.text);
  assert.deepEqual(texts.filter((text) => text !== '').toSorted(), ['poison one', 'poison two']);
});

test('the values behind new tokens are handed on to be kept sealed, before the documents are there', async (t) => {
  const recorded = await Recorded.open(t);
  await recorded.write('poison ada@example.org');
  await recorded.ship({ masker: failingOn('poison') });
  const kept: string[] = [];
  const tokenKeeper = {
    keep: async (tokens: readonly { values: ReadonlyMap<string, string> }[]) => {
      const [document] = (await recorded.indexed()).values();
      assert.equal(document?.skilltape.masking.status, 'failed');
      for (const { values } of tokens) kept.push(...values.values());
    },
  };
  await remask(failed, recorded.remasking(t, { tokenKeeper }));
  assert.deepEqual(kept, ['ada@example.org']);
});

test('an index that cannot go on ends the run, which says why, and is repeated from its place', async (t) => {
  const recorded = await Recorded.open(t);
  for (let count = 0; count < 4; count += 1) await recorded.write(`poison ${count}`);
  await recorded.ship({ masker: failingOn('poison') });
  const whole = recorded.remasking(t);
  let replaced = 0;
  const parts = {
    ...whole,
    replace: {
      stored: (id: string) => whole.replace.stored(id),
      replace: async (documents: Parameters<typeof whole.replace.replace>[0]) => {
        replaced += 1;
        return replaced > 2 ? ({ kind: 'retry', reason: 'busy' } as const) : whole.replace.replace(documents);
      },
    },
  };
  assert.deepEqual(await remask(failed, parts), {
    counts: { ...none, selected: 4, remasked: 2 },
    waiting: 'busy',
    next: null,
  });
  assert.deepEqual((await remask(failed, whole)).counts, { ...none, selected: 2, remasked: 2 });
});

test('a gateway that ships meanwhile is not disturbed, and neither is masking again', async (t) => {
  const recorded = await Recorded.open(t);
  for (let count = 0; count < 30; count += 1) await recorded.write(`poison ${count}`);
  await recorded.ship({ masker: failingOn('poison') });
  const index = SqliteIndex.open(recorded.directory);
  t.after(() => index.close());
  const [document] = (await recorded.indexed()).values();
  assert.ok(document);
  let delivered = 0;
  const parts = recorded.remasking(t, {
    onProgress: () => {},
    recorded: {
      async *read(range, isWanted) {
        for await (const one of recorded.exchanges.read(range, isWanted)) {
          const other = { ...document, event: { ...document.event, id: `other-${delivered}` } };
          const [delivery] = await index.deliver([other as never]);
          assert.equal(delivery?.kind, 'accepted');
          delivered += 1;
          yield one;
        }
      },
    },
  });
  assert.equal((await remask(failed, parts)).counts.remasked, 30);
  assert.equal(delivered, 30);
});

function batchOf(prompts: readonly string[]): string {
  const requests = prompts.map((content, at) => ({
    custom_id: `c${at}`,
    params: { model: 'claude-sonnet-4-5', max_tokens: 8, messages: [{ role: 'user', content }] },
  }));
  return JSON.stringify({ requests });
}
