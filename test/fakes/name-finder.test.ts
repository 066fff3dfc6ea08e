import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeNameFinder } from './name-finder.ts';

test('the fake names what it knows and stands in the texts, and keeps what it was asked', async (t) => {
  const fake = await startFakeNameFinder({ NAME: ['Ada Lovelace', 'Nobody'], ADDRESS: ['12 Main St'] });
  t.after(() => fake.close());
  const texts = ['Ada Lovelace lives', 'at 12 Main St'];
  const response = await fetch(fake.url, { method: 'POST', body: JSON.stringify({ texts }) });
  assert.deepEqual(await response.json(), {
    names: [
      { value: 'Ada Lovelace', type: 'NAME' },
      { value: '12 Main St', type: 'ADDRESS' },
    ],
  });
  assert.deepEqual(fake.asked, [texts]);
});

test('the fake misbehaves as it is told', async (t) => {
  const fake = await startFakeNameFinder({});
  t.after(() => fake.close());
  const ask = (options: RequestInit = {}) => fetch(fake.url, { method: 'POST', body: '{"texts":[]}', ...options });
  fake.fault = 'status';
  assert.equal((await ask()).status, 503);
  fake.fault = 'closed';
  await assert.rejects(ask());
  fake.fault = 'moved';
  assert.equal((await ask({ redirect: 'manual' })).status, 307);
  fake.fault = 'silent';
  await assert.rejects(ask({ signal: AbortSignal.timeout(50) }));
  fake.fault = 'endless';
  assert.ok((await (await ask()).text()).length > 1024 * 1024);
});
