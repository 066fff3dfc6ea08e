import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countsOf } from '../../../extproc/coverage/finding.ts';
import { type LateRecord, recordOfLine } from '../../../extproc/coverage/late-record.ts';
import type { CoverageFigures } from '../../../extproc/coverage/report.ts';
import { watchCoverage } from '../../../extproc/coverage/watch.ts';
import { decodeRecord } from '../../../extproc/exchange/record.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { Masker } from '../../../extproc/masking/masker.ts';
import { builtInDetection } from '../../../extproc/masking/own-detection.ts';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import { draftDocuments } from '../../../extproc/transcript/documents.ts';
import { maskDocument } from '../../../extproc/transcript/masked-document.ts';
import { readTranscript } from '../../../extproc/transcript/reading.ts';
import { assembleTranscript } from '../../../extproc/transcript/transcript.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { lineOf, refusedByEnvoy } from './example.ts';

const key = new Uint8Array(32);
const keyedHash = keyedHashWith(key);

function lateRecord(changes: Record<string, unknown> = {}): LateRecord {
  const line = lineOf({ ...refusedByEnvoy, ...changes });
  const found = { line, at: { inode: 1, offset: 2 }, kind: 'refused_by_envoy' as const, reason: line.details };
  return recordOfLine(found, { keyedHash, connections: new Set(['claude']) });
}

function watchOf(admits = true) {
  const events: string[] = [];
  const records: ReturnType<typeof decodeRecord>[] = [];
  const said: [string, string][] = [];
  const log = {
    info: (_: object, words: string) => void said.push(['info', words]),
    warn: (_: object, words: string) => void said.push(['warn', words]),
    error: (_: object, words: string) => void said.push(['error', words]),
  };
  const journal = {
    admits: () => admits,
    append: async (parts: readonly Uint8Array[], { isEnd = false } = {}) => {
      records.push(decodeRecord(Buffer.concat(parts)));
      events.push(isEnd ? 'end' : 'append');
      return { segment: 1, offset: 0 };
    },
    sync: async () => void events.push('sync'),
  };
  return { watch: watchCoverage(log, journal, () => 10_000), events, records, said };
}

test('a late record is a start and an end in the journal, and written only when it is on disk', async () => {
  const { watch, events, records } = watchOf();
  assert.equal(await watch.write([lateRecord()]), true);
  assert.deepEqual(events, ['append', 'end', 'sync']);
  const transcript = assembleTranscript(records);
  assert.equal(transcript?.finished.detail, 'refused_by_envoy path_normalization_failed');
  assert.equal(transcript?.started.sourceAddress, '203.0.113.7');
});

test('a journal that takes no new exchanges is left alone', async () => {
  const { watch, events } = watchOf(false);
  assert.equal(await watch.write([lateRecord()]), false);
  assert.deepEqual(events, []);
});

test('what a caller wrote into the path is masked like all else, whatever the request was', async () => {
  const secret = ['sk-ant-', 'api03-', 'q7Zt2LmV9xKc4RbN8wYp3HsD6fGj1TuE', '5oA0iXyWvBnM'].join('');
  for (const method of ['GET', null, 'CONNECT', '\u001b[2J']) {
    for (const path of [`/v1/${secret}/a`, null, '*', '/../..', `/v1/messages/${secret}`]) {
      const { watch, records } = watchOf();
      await watch.write([lateRecord({ method, path })]);
      const transcript = assembleTranscript(records) ?? assert.fail();
      const decision = { keep: 'full', retention_class: 'standard', masking: usualMasking } as const;
      const recall = { seen: () => false, origin: () => null };
      const reading = await readTranscript(transcript, () => '', decodingLimits);
      for (const { draft } of draftDocuments(transcript, reading, { keyedHash, decision, recall })) {
        const document = JSON.stringify(
          maskDocument(draft, new Masker({ key }), 10_000, usualMasking, builtInDetection),
        );
        assert.ok(!document.includes(secret), `${method} ${path}`);
        assert.ok(document.includes('path_normalization_failed'));
      }
    }
  }
});

test('counts and lag are those of the last report, and the lag grows when none comes', () => {
  const { watch, said } = watchOf();
  assert.deepEqual([watch.counts().recorded, watch.lagSeconds()], [0, null]);
  const figures: CoverageFigures = {
    counts: countsOf(new Map([['recorded', 7]])),
    comparedUntilMs: 4_000,
    waiting: null,
  };
  watch.heed({ kind: 'figures', figures });
  assert.deepEqual([watch.counts().recorded, watch.lagSeconds()], [7, 6]);
  watch.heed({ kind: 'figures', figures: { ...figures, waiting: 'it is not there' } });
  watch.heed({ kind: 'figures', figures: { ...figures, waiting: 'it is not there' } });
  watch.heed({ kind: 'figures', figures });
  assert.deepEqual(said, [
    ['warn', 'no access log to compare with'],
    ['info', 'the access log is there again'],
  ]);
});
