import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Finding, findings } from '../../../extproc/coverage/finding.ts';
import type { RecordedExchange } from '../../../extproc/coverage/recorded.ts';
import { newExchangeId } from '../../../extproc/exchange/exchange-id.ts';
import { lineText, recordedOf, refusedByEnvoy, startMs } from './example.ts';
import { lagMaxMs, Rig } from './rig.ts';

/** What becomes of one request, and what has to be found. */
const fates = [
  'recorded',
  'forwarded_not_recorded',
  'around_us',
  'refused_by_envoy',
  'processor_unavailable',
  'recorded_not_logged',
  'unreadable_line',
] as const;
type Fate = (typeof fates)[number];

const expected: Record<Fate, Finding> = {
  ...{ recorded: 'recorded', forwarded_not_recorded: 'forwarded_not_recorded', around_us: 'forwarded_not_recorded' },
  ...{ refused_by_envoy: 'refused_by_envoy', processor_unavailable: 'processor_unavailable' },
  ...{ recorded_not_logged: 'recorded_not_logged', unreadable_line: 'unreadable_line' },
};

const happenings = ['step', 'restart', 'rename', 'die after writing', 'full journal', 'nothing'] as const;

/** `lineAt` and `recordAt` put the two halves of a request into the order of all that happens. */
const request = fc.record({ fate: fc.constantFrom(...fates), lineAt: fc.nat(1_000), recordAt: fc.nat(1_000) });
const happening = fc.record({ what: fc.constantFrom(...happenings), at: fc.nat(1_000) });

function halvesOf(fate: Fate, number: number, nowMs: number): { line: string | null; record: RecordedExchange | null } {
  const exchangeId = newExchangeId(nowMs);
  const requestId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const usual = { exchange: exchangeId, request_id: requestId, time: new Date(nowMs).toISOString(), duration_ms: 0 };
  const record = recordedOf({ exchangeId, envoyRequestId: requestId, endedMs: nowMs });
  const unavailable = { ...refusedByEnvoy, status: 503, details: 'ext_proc_error_gRPC_error_14{}' };
  switch (fate) {
    case 'recorded':
      return { line: lineText(usual), record };
    case 'forwarded_not_recorded':
      return { line: lineText(usual), record: null };
    case 'around_us':
      return { line: lineText({ ...usual, exchange: null, verdict: null }), record: null };
    case 'refused_by_envoy':
      return { line: lineText({ ...usual, ...refusedByEnvoy }), record: null };
    case 'processor_unavailable':
      return { line: lineText({ ...usual, ...unavailable, request_id: requestId }), record: null };
    case 'recorded_not_logged':
      return { line: null, record };
    case 'unreadable_line':
      return { line: lineText(usual).slice(0, 50), record: null };
    default:
      return fate satisfies never;
  }
}

test('whatever order things come in, and whatever breaks meanwhile, each request is found once for what it is', async () => {
  const requests = fc.array(request, { minLength: 1, maxLength: 30 });
  const property = fc.asyncProperty(requests, fc.array(happening, { maxLength: 12 }), async (sent, happened) => {
    const directory = mkdtempSync(join(tmpdir(), 'skilltape-test-'));
    const rig = new Rig(null, directory, { recordsPerMinute: 1_000 });
    try {
      rig.log('');
      await rig.settle();
      await play(rig, sent, happened);
      rig.takesRecords = true;
      rig.diesAfterWriting = false;
      await rig.settle();
      await rig.pass(3 * lagMaxMs);
      const sums = Object.fromEntries(findings.map((finding) => [finding, 0])) as Record<Finding, number>;
      for (const { fate } of sent) sums[expected[fate]] += 1;
      const found = { ...Object.fromEntries(findings.map((finding) => [finding, 0])), ...rig.counts() };
      assert.deepEqual(found, sums);
      const late = new Set(rig.written.map(({ exchangeId }) => exchangeId));
      assert.equal(late.size, sums.refused_by_envoy + sums.processor_unavailable);
    } finally {
      await rig.close();
      rmSync(directory, { recursive: true });
    }
  });
  await fc.assert(property, { numRuns: 30 });
});

type Sent = { fate: Fate; lineAt: number; recordAt: number };

async function play(
  rig: Rig,
  sent: readonly Sent[],
  happened: readonly { what: (typeof happenings)[number]; at: number }[],
): Promise<void> {
  let files = 0;
  const all = sent.flatMap(({ fate, lineAt, recordAt }, number) => {
    const { line, record } = halvesOf(fate, number, startMs + 1 + number);
    return [
      ...(line === null ? [] : [{ at: lineAt, run: async () => rig.log(line) }]),
      ...(record === null ? [] : [{ at: recordAt, run: async () => rig.record(record) }]),
    ];
  });
  const between = happened.map(({ what, at }) => ({
    at,
    async run() {
      rig.nowMs += 100;
      rig.takesRecords = what !== 'full journal';
      rig.diesAfterWriting = what === 'die after writing';
      if (what === 'restart') await rig.restart();
      if (what === 'rename') {
        renameSync(rig.file, `${rig.file}.${++files}`);
        rig.log('');
      }
      if (what !== 'nothing') await rig.pass(100);
    },
  }));
  for (const { run } of [...all, ...between].toSorted((a, b) => a.at - b.at)) await run();
}
