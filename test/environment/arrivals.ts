/** What reached the upstream, held against the journal. */
import { createHash } from 'node:crypto';
import type { Arrival } from '../fakes/claude/arrival.ts';
import type { TestGateway } from './gateway.ts';
import { pairs } from './https-call.ts';
import type { JournalEntry } from './journal-view.ts';
import { readJournal } from './journal-view.ts';

/**
 * Each fault in words: a request upstream without a record that allowed exactly these bytes, or a record that allowed
 * one request and stands for two.
 */
export async function unrecorded(gateway: TestGateway, arrivals: readonly Arrival[]): Promise<string[]> {
  const entries = (await readJournal(gateway.dataDirectory)).filter(({ allowed }) => allowed);
  const used = new Set<JournalEntry>();
  return arrivals.flatMap((arrival) => {
    const requestId = pairs(arrival.headers).find(([name]) => name === 'x-request-id')?.[1];
    const entry = entries.find((one) => !used.has(one) && startOf(one)?.envoyRequestId === requestId);
    if (entry === undefined) return [`${arrival.method} ${arrival.path} has no record`];
    used.add(entry);
    return differences(arrival, entry).map((text) => `${arrival.method} ${arrival.path}: ${text}`);
  });
}

function differences(arrival: Arrival, entry: JournalEntry): string[] {
  const started = startOf(entry);
  const found: string[] = [];
  if (started?.method !== arrival.method) found.push(`recorded as ${started?.method}`);
  if (started?.path !== arrival.path.split('?')[0]) found.push(`recorded with the path ${started?.path}`);
  const recorded = createHash('sha256').update(entry.requestBody).digest('hex');
  if (arrival.bodySha256 === undefined) found.push('its body came in part only');
  else if (arrival.bodySha256 !== recorded)
    found.push(`${arrival.bodyBytes} bytes up, ${entry.requestBody.length} recorded`);
  return found;
}

function startOf({ records }: JournalEntry) {
  return records.flatMap((record) => (record.kind === 'started' ? [record.started] : []))[0];
}
