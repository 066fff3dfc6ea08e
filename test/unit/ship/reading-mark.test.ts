import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ReadingMark } from '../../../extproc/ship/reading-mark.ts';

const exchangeId = '01890a5d-ac96-774b-bcce-b302099a8057';

test('what a thread read last is known after its death', async () => {
  const mark = new ReadingMark();
  assert.equal(mark.get(), null);
  const source = `
    const { workerData } = require('node:worker_threads');
    import(workerData.module).then(({ ReadingMark }) => {
      new ReadingMark(workerData.memory).set(workerData.exchangeId);
      process.exit(1);
    });`;
  const module = new URL('../../../extproc/ship/reading-mark.ts', import.meta.url).href;
  const worker = new Worker(source, { eval: true, workerData: { module, memory: mark.memory, exchangeId } });
  await new Promise((resolve) => worker.once('exit', resolve));
  assert.equal(mark.get(), exchangeId);
});

test('between two exchanges none is being read', () => {
  const mark = new ReadingMark();
  mark.set(exchangeId);
  mark.set(null);
  assert.equal(mark.get(), null);
});
