import assert from 'node:assert/strict';
import { test } from 'node:test';
import type Anthropic from '@anthropic-ai/sdk';
import { ask, withFake } from './with-fake.ts';

function requests(...prompts: string[]) {
  return prompts.map((prompt, index) => ({ custom_id: `request-${index}`, params: ask(prompt) }));
}

async function resultsOf(client: Anthropic, id: string) {
  const results: Anthropic.Messages.MessageBatchIndividualResponse[] = [];
  for await (const line of await client.messages.batches.results(id)) results.push(line);
  return results;
}

test('a batch has ended at once, and each of its requests has the result that its prompt asked for', async () => {
  await withFake({}, async (fake, clients) => {
    for (const { name, client } of clients) {
      const batch = await client.messages.batches.create({
        requests: requests(
          'What is a tape?',
          '[fake: batch errored]',
          '[fake: batch canceled]',
          '[fake: batch expired]',
          '[fake: error 529]',
          '[fake: gzipp]',
          '[fake: answer web_search text]',
        ),
      });
      assert.match(batch.id, /^msgbatch_01Fake[0-9]{16}$/, name);
      assert.equal(batch.processing_status, 'ended');
      assert.deepEqual(batch.request_counts, { processing: 0, succeeded: 2, errored: 3, canceled: 1, expired: 1 });
      assert.equal(batch.results_url, `${fake.url}/v1/messages/batches/${batch.id}/results`);
      assert.deepEqual(await client.messages.batches.retrieve(batch.id), batch);

      const results = await resultsOf(client, batch.id);
      assert.deepEqual(
        results.map(({ custom_id, result }) => `${custom_id} ${result.type}`),
        ['succeeded', 'errored', 'canceled', 'expired', 'errored', 'errored', 'succeeded'].map(
          (kind, index) => `request-${index} ${kind}`,
        ),
      );
      const [first] = results;
      assert.ok(first?.result.type === 'succeeded');
      const { message } = first.result;
      assert.ok(message.content[0]?.type === 'text' && message.content[0].text.includes('What is a tape?'));
      assert.equal(message.usage.service_tier, 'batch');
      const types = results.flatMap(({ result }) => (result.type === 'errored' ? [result.error.error.type] : []));
      assert.deepEqual(types, ['api_error', 'overloaded_error', 'invalid_request_error']);
    }
  });
});

test('the beta methods of both SDK lines give the same batch', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { id } = await client.beta.messages.batches.create({ requests: requests('hello') });
      const lines: string[] = [];
      for await (const line of await client.beta.messages.batches.results(id)) lines.push(line.custom_id);
      assert.deepEqual(lines, ['request-0']);
    }
  });
});

test('the link to the results begins with the public URL that was set', async () => {
  await withFake({ publicUrl: 'https://api.example.com' }, async (_fake, [current]) => {
    const batch = await current?.client.messages.batches.create({ requests: requests('hello') });
    assert.equal(batch?.results_url, `https://api.example.com/v1/messages/batches/${batch?.id}/results`);
  });
});

test('a batch is in progress for as many looks as asked, and its results may come in another order', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const prompts = requests('[fake: batch polls 2]', 'second [fake: batch reversed]');
      const { id, processing_status, results_url } = await client.messages.batches.create({ requests: prompts });
      assert.deepEqual([processing_status, results_url], ['in_progress', null]);
      await assert.rejects(resultsOf(client, id), /results_url/);
      assert.equal((await client.messages.batches.retrieve(id)).processing_status, 'in_progress');
      assert.deepEqual(
        (await resultsOf(client, id)).map(({ custom_id }) => custom_id),
        ['request-1', 'request-0'],
      );
    }
  });
});

test('a batch that was canceled in progress ends with nothing but canceled requests, and can be deleted then', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const { id } = await client.messages.batches.create({ requests: requests('[fake: batch polls 9]', 'b') });
      await assert.rejects(client.messages.batches.delete(id), { status: 400 });
      const canceling = await client.messages.batches.cancel(id);
      assert.equal(canceling.processing_status, 'canceling');
      assert.notEqual(canceling.cancel_initiated_at, null);
      assert.equal((await client.messages.batches.retrieve(id)).request_counts.canceled, 2);
      assert.deepEqual(
        (await resultsOf(client, id)).map(({ result }) => result.type),
        ['canceled', 'canceled'],
      );
      await assert.rejects(client.messages.batches.cancel(id), { status: 400 });
      assert.deepEqual(await client.messages.batches.delete(id), { id, type: 'message_batch_deleted' });
      await assert.rejects(client.messages.batches.retrieve(id), { status: 404 });
    }
  });
});

test('the list pages through all batches, newest first', async () => {
  await withFake({}, async (_fake, clients) => {
    const ids: string[] = [];
    for (const { client } of [...clients, ...clients]) {
      ids.unshift((await client.messages.batches.create({ requests: requests('hello') })).id);
    }
    for (const { client } of clients) {
      const seen: string[] = [];
      for await (const { id } of client.messages.batches.list({ limit: 3 })) seen.push(id);
      assert.deepEqual(seen, ids);
      const before = await client.messages.batches.list({ limit: 2, before_id: ids[3] ?? '' });
      assert.deepEqual(
        before.data.map(({ id }) => id),
        [ids[1], ids[2]],
      );
      assert.equal(before.has_more, true);
    }
  });
});

test('a batch without requests, or with an id twice or of strange characters, is refused', async () => {
  await withFake({}, async (_fake, clients) => {
    for (const { client } of clients) {
      const twice = [...requests('a'), ...requests('b')];
      const strange = [{ custom_id: 'a b', params: ask('a') }];
      for (const wrong of [[], twice, strange]) {
        await assert.rejects(client.messages.batches.create({ requests: wrong }), { status: 400 });
      }
    }
  });
});
