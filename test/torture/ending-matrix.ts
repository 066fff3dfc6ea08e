import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Gateway } from '../../extproc/demo/gateway.ts';
import { startGateway } from '../../extproc/demo/gateway.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { messagesBody } from '../builders/messages-body.ts';
import type { BreakableAnswer, BreakingUpstream } from '../environment/breaking-upstream.ts';
import { startBreakingUpstream } from '../environment/breaking-upstream.ts';
import { upstreamKey } from '../environment/gateway.ts';
import { readJournal } from '../environment/journal-view.ts';
import type { RawCall } from '../environment/raw-call.ts';
import { openCall } from '../environment/raw-call.ts';
import { waitUntil } from '../environment/wait.ts';
import { wholeIndex } from '../environment/whole-index.ts';
import { createAuthority } from '../fakes/certificates.ts';
import type { EndingCase } from './ending-case.ts';
import { trueOutcomes } from './ending-case.ts';

/** Answers that are open at once; all of a batch are broken off together. */
const batchSize = 64;
const indexedMaxMs = 120_000;

type Place = { gateway: Gateway; upstream: BreakingUpstream; authorityPem: string; authorization: string };
type Open = { one: EndingCase; marker: string; call: RawCall; answer: BreakableAnswer };
type Got = { one: EndingCase; marker: string; received: Buffer };

/**
 * Breaks off one answer for each case at its cut, through the real Envoy, and then reads what is recorded: exactly the
 * bytes that the caller got, and the true outcome in the index. Returns what is wrong, a line for each case.
 */
export async function runEndings(cases: readonly EndingCase[], say: (line: string) => void): Promise<string[]> {
  await using place = await startPlace();
  const got: Got[] = [];
  const killed = cases.filter(({ by }) => by === 'processor_killed');
  const others = cases.filter(({ by }) => by !== 'processor_killed');
  for (const batch of [...batchesOf(others), ...batchesOf(killed)]) {
    const open = await Promise.all(batch.map((one, at) => openAtCut(place, one, `marker-${got.length + at}-`)));
    await breakOff(place, open);
    got.push(...open.map(({ one, marker, call }) => ({ one, marker, received: call.received() })));
    say(`${got.length} of ${cases.length} answers broken off`);
  }
  return await faultsOf(place.gateway, got);
}

function batchesOf(cases: readonly EndingCase[]): EndingCase[][] {
  const count = Math.ceil(cases.length / batchSize);
  return Array.from({ length: count }, (_, at) => cases.slice(at * batchSize, (at + 1) * batchSize));
}

async function openAtCut(place: Place, one: EndingCase, marker: string): Promise<Open> {
  const headers = { authorization: place.authorization };
  const call = openCall({ url: place.gateway.url, authorityPem: place.authorityPem }, { headers });
  call.end(messagesBody(marker, { stream: true }));
  const answer = await place.upstream.answerTo(marker);
  const { encoding, bytes } = one.stream;
  const encoded: Record<string, string> = encoding === 'identity' ? {} : { 'content-encoding': encoding };
  answer.begin({ 'content-type': 'text/event-stream', ...encoded }, bytes.subarray(0, one.cut));
  await call.head;
  await waitUntil(`the cut of ${one.name}`, () => call.received().length === one.cut);
  return { one, marker, call, answer };
}

async function breakOff(place: Place, open: readonly Open[]): Promise<void> {
  for (const { one, call, answer } of open) {
    if (one.by === 'client') call.abort();
    else if (one.by === 'upstream_reset') answer.reset();
    else if (one.by === 'upstream_end') answer.end();
  }
  if (open.some(({ one }) => one.by === 'processor_killed')) {
    place.gateway.processor.process.kill('SIGKILL');
    await place.gateway.processor.exited;
    await place.gateway.restartProcessor();
    await servedAgain(place);
  }
  await Promise.all(open.map(({ call }) => call.over));
}

/** A path that no policy allows is answered by the processor alone. */
async function servedAgain({ gateway, authorityPem, authorization }: Place): Promise<void> {
  await waitUntil('the processor taking requests again', async () => {
    const call = openCall({ url: gateway.url, authorityPem }, { headers: { authorization }, path: '/nothing-here' });
    call.end('{}');
    const { status } = await call.head;
    await call.over;
    return status !== 503;
  });
}

async function faultsOf(gateway: Gateway, got: readonly Got[]): Promise<string[]> {
  const entries = await waitUntil(
    'an end for every exchange',
    async () => {
      const found = await readJournal(gateway.dataDirectory);
      return found.every(({ records }) => records.some(({ kind }) => kind === 'finished')) && found;
    },
    indexedMaxMs,
  );
  const index = await waitUntil(
    'every exchange in the index',
    async () => {
      const hits = await wholeIndex(gateway.dataDirectory);
      return entries.every(({ id }) => hits.has(id)) && hits;
    },
    indexedMaxMs,
  );
  const byMarker = new Map(entries.map((entry) => [/marker-\d+-/.exec(entry.requestBody.toString())?.[0], entry]));
  const faults: string[] = [];
  for (const { one, marker, received } of got) {
    const entry = byMarker.get(marker);
    const ends = entry?.records.flatMap((record) => (record.kind === 'finished' ? [record.finished] : [])) ?? [];
    const given = entry?.answerBody.subarray(0, entry.answerBody.length - (ends[0]?.unansweredBytes ?? 0));
    const outcome = index.get(entry?.id ?? '')?.outcome;
    const expected = trueOutcomes(one);
    if (ends.length !== 1) faults.push(`${one.name}: ${ends.length} ends`);
    if (given?.equals(one.stream.bytes.subarray(0, one.cut)) !== true) faults.push(`${one.name}: other bytes recorded`);
    if (given?.equals(received) !== true) faults.push(`${one.name}: the caller got other bytes`);
    if (outcome === undefined || !expected.includes(outcome)) {
      faults.push(`${one.name}: ${outcome} (${ends[0]?.detail}), not ${expected.join(' or ')}`);
    }
  }
  return faults;
}

async function startPlace(): Promise<Place & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-endings-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const authority = await createAuthority('test authority');
  const names = { commonName: 'claude', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const upstream = await startBreakingUpstream(await authority.issue(names));
  started.defer(() => upstream.close());
  const target = { host: '127.0.0.1', port: upstream.port, serverName: 'localhost', caFile: join(directory, 'ca.pem') };
  const gateway = await startGateway({
    ...{ directory, authority, upstreamKey, userClientSecret: 'test' },
    upstreams: [{ name: 'claude', ...target }],
    envoyBinary: (await resolveTool('envoy', { env: process.env })).path,
    opaBinary: (await resolveTool('opa', { env: process.env })).path,
  });
  started.defer(() => gateway.stop());
  const authorization = `Bearer ${await gateway.identityProvider.token('alice')}`;
  const all = started.move();
  const authorityPem = authority.certificatePem;
  return { gateway, upstream, authorityPem, authorization, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
