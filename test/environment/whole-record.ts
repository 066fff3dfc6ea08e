import assert from 'node:assert/strict';
import type { TestGateway } from './gateway.ts';
import { readJournal } from './journal-view.ts';
import { waitUntil } from './wait.ts';
import { wholeIndex } from './whole-index.ts';

/**
 * Every exchange in the journals has one start, one end and one document, under the same id. To be asked when nothing
 * new is sent; an end may wait for Envoy's report still.
 */
export async function assertJournalIsIndexed(gateway: TestGateway): Promise<void> {
  const entries = await waitUntil('the end of every exchange', async () => {
    const read = await readJournal(gateway.dataDirectory);
    return read.every(({ records }) => records.some(({ kind }) => kind === 'finished')) && read;
  });
  for (const { id, records } of entries) {
    assert.equal(records.filter(({ kind }) => kind === 'started').length, 1, id);
    assert.equal(records.filter(({ kind }) => kind === 'finished').length, 1, `ends of ${id}`);
  }
  const indexed = await waitUntil('everything in the index', async () => {
    const hits = await wholeIndex(gateway.dataDirectory);
    return entries.every(({ id }) => hits.has(id)) && hits;
  });
  assert.equal(indexed.size, entries.length);
}

/** What the upstream saw is recorded with the verdict that let it pass (inv. 1); the gateway must keep bodies. */
export async function assertArrivalsAreRecorded(gateway: TestGateway): Promise<number> {
  const entries = await readJournal(gateway.dataDirectory);
  const recorded = new Set(entries.filter(({ allowed }) => allowed).map(({ requestBody }) => requestBody.toString()));
  const arrivals = gateway.fake.requests.filter(({ body }) => body !== undefined);
  for (const { body } of arrivals) assert.ok(recorded.has(String(body)), `no record of ${body}`);
  return arrivals.length;
}
