import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestElasticsearch } from '../elasticsearch.ts';
import { openBroker } from './broker.ts';

function fakeServer(): { start: () => Promise<TestElasticsearch>; counts: { started: number; stopped: number } } {
  const counts = { started: 0, stopped: 0 };
  const start = async () => {
    counts.started += 1;
    return {
      url: 'http://server.example',
      stop: async () => {
        counts.stopped += 1;
      },
    } as unknown as TestElasticsearch;
  };
  return { start, counts };
}

test('the server of a run is started by the first call alone, and ended with the run', async () => {
  const { start, counts } = fakeServer();
  const broker = await openBroker(start);
  assert.equal(counts.started, 0);
  const answers = await Promise.all([1, 2, 3].map(async () => (await fetch(broker.url)).text()));
  assert.deepEqual(answers, Array(3).fill('http://server.example'));
  await broker.close();
  assert.deepEqual(counts, { started: 1, stopped: 1 });
});

test('a run that never asks starts nothing', async () => {
  const { start, counts } = fakeServer();
  await (await openBroker(start)).close();
  assert.deepEqual(counts, { started: 0, stopped: 0 });
});

test('why there is no server is told to every caller, and the run ends all the same', async () => {
  const broker = await openBroker(() => Promise.reject(new Error('no Java')));
  for (const _ of [1, 2]) {
    const answer = await fetch(broker.url);
    assert.equal(answer.status, 500);
    assert.equal(await answer.text(), 'no Java');
  }
  await broker.close();
});
