import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ApprovalAnswer } from '../../../extproc/exchange/approval-desk.ts';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import type { Verdict } from '../../../extproc/exchange/ports.ts';
import {
  answerBody,
  answerHeaders,
  eventDelta,
  eventStop,
  eventStream,
  question,
  requestBody,
  requestHeaders,
} from './frames.ts';
import type { FakeLog } from './rig.ts';
import { allow, createRig, deny } from './rig.ts';

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc
    .record({ endOfStream: fc.boolean(), contentLength: fc.constantFrom('0', '86', '5000', 'x') })
    .map(({ endOfStream, contentLength }) =>
      requestHeaders({ endOfStream, headers: [['content-length', contentLength]] }),
    ),
  fc
    .tuple(fc.constantFrom(question, question.slice(0, 9), question.slice(9), '', 'x'.repeat(700)), fc.boolean())
    .map(([text, end]) => requestBody(text, end)),
  fc.constant<Frame>({ kind: 'request_trailers', headers: [['x-sum', '1']] }),
  fc
    .record({
      status: fc.constantFrom(200, 204, 429),
      endOfStream: fc.boolean(),
      codeDetails: fc.constantFrom('via_upstream', 'timeout', ''),
      headers: fc.constantFrom(
        eventStream,
        [],
        [['content-encoding', 'gzip']] as const,
        [['content-length', '3']] as const,
      ),
    })
    .map(answerHeaders),
  fc.tuple(fc.constantFrom(eventDelta, eventStop, '', '{}x'), fc.boolean()).map(([text, end]) => answerBody(text, end)),
  fc.constant<Frame>({ kind: 'response_trailers', headers: [] }),
);

/** The usual life, with frames lost, repeated, or put in between. */
const usualLife: readonly Frame[] = [
  requestHeaders(),
  requestBody(question.slice(0, 9)),
  requestBody(question.slice(9)),
  requestBody('', true),
  answerHeaders({ headers: eventStream }),
  answerBody(eventDelta),
  answerBody(eventStop),
  answerBody('', true),
];
const nearlyUsual = fc
  .array(fc.tuple(fc.nat(usualLife.length), fc.option(anyFrame, { freq: 2 })), { maxLength: 3 })
  .map((edits) => {
    const frames = [...usualLife];
    for (const [at, frame] of edits) frames.splice(at, frame === null ? 1 : 0, ...(frame === null ? [] : [frame]));
    return frames;
  });

const life = fc.record({
  frames: fc.oneof(nearlyUsual, fc.array(anyFrame, { maxLength: 12 })),
  abandonAfter: fc.nat(12),
  endsWith: fc.constantFrom('stream_ended', 'interrupted'),
  /** With the smaller one the later part of a body is in the log alone. */
  heldBodyMaxBytes: fc.constantFrom(5000, 390, 260),
  failingAppend: fc.option(fc.nat(9)),
  failingSync: fc.option(fc.nat(4)),
  access: fc.constantFrom<Verdict>(allow, allow, allow, deny),
  request: fc.constantFrom<Verdict>(allow, allow, allow, deny, { verdict: 'hold', reasons: [] }),
  /** What people say of a held one. */
  answer: fc.constantFrom<ApprovalAnswer>(
    { kind: 'granted', ticket: 't', approvedBy: ['a'] },
    { kind: 'denied', ticket: 't', reason: 'no' },
    { kind: 'full', limit: 'ticketsMax' },
  ),
});

/** What reads a stream does: one frame after the other until a cut, then the end. */
test('whatever comes in whatever order: one end for a start, one release at most, and only of what is on disk', async () => {
  await fc.assert(
    fc.asyncProperty(
      life,
      async ({
        frames,
        abandonAfter,
        endsWith,
        failingAppend,
        failingSync,
        access,
        request,
        answer,
        heldBodyMaxBytes,
      }) => {
        const { log, judge, desk, context, open } = createRig({ heldBodyMaxBytes });
        desk.onAsk = async () => answer;
        judge.accessVerdict = () => access;
        judge.requestVerdict = () => request;
        failOnce(log, failingAppend, failingSync);
        const exchange = open();
        const actions: Action[] = [];
        let isCut = false;
        for (const frame of frames.slice(0, abandonAfter)) {
          const action = await exchange.accept(frame);
          actions.push(action);
          log.events.push(`action ${action.kind}`);
          if (action.kind === 'release') await assertReleasable(log, action);
          isCut = action.kind === 'cut';
          if (isCut) break;
        }
        const how = isCut ? 'cut' : endsWith;
        // The one failing append may be that of the end itself.
        await exchange.abandon(how, 'why').catch(() => exchange.abandon(how, 'why'));
        assert.equal(log.finished.length, log.ofKind('started').length, 'one end for a start');
        assert.ok(log.finished.length <= 1);
        assert.deepEqual(context.budget, { openExchanges: 0, heldBodyBytes: 0 });
        assert.deepEqual([context.spool.heldBytes, context.callers.size], [0, 0]);
        assert.ok(actions.filter(({ kind }) => kind === 'release' || kind === 'local_reply').length <= 1);
        const answered = actions.findIndex(({ kind }) => kind === 'local_reply');
        assert.ok(answered < 0 || actions.slice(answered + 1).every(({ kind }) => kind === 'wait'));
        for (const frame of frames) {
          const { kind } = await exchange.accept(frame);
          assert.ok(kind === 'cut' || kind === 'wait', `${kind} after the end`);
        }
        assert.equal(log.finished.length, log.ofKind('started').length);
      },
    ),
    { numRuns: 1500 },
  );
});

async function assertReleasable(log: FakeLog, action: Extract<Action, { kind: 'release' }>): Promise<void> {
  assert.deepEqual(log.events.slice(-3), ['sync', 'synced', 'action release']);
  assert.equal(log.ofKind('decided').at(-1)?.decided.verdict, 'allow');
  const recorded = Buffer.concat(log.ofKind('request_body').map(({ bytes }) => bytes));
  assert.deepEqual(
    Buffer.concat(await Array.fromAsync(action.body)),
    recorded,
    'other bytes go upstream than are recorded',
  );
}

function failOnce(log: FakeLog, failingAppend: number | null, failingSync: number | null): void {
  let appends = 0;
  let syncs = 0;
  log.failsAppend = () => appends++ === failingAppend;
  log.onSync = async () => {
    if (syncs++ === failingSync) throw new Error('i/o error');
  };
}
