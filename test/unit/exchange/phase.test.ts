import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameKind } from '../../../extproc/exchange/frame.ts';
import type { Phase, Step } from '../../../extproc/exchange/phase.ts';
import { stepOf } from '../../../extproc/exchange/phase.ts';

const phases: Phase[] = ['opened', 'receiving', 'released', 'answering', 'replied', 'ended', 'unseen'];
const frames: FrameKind[] = [
  'request_headers',
  'request_body',
  'request_trailers',
  'response_headers',
  'response_body',
  'response_trailers',
];

/** Everything that is not a violation: phase, frame, step for more, step for the last of its direction. */
const steps: Record<string, readonly [more: Step, last: Step]> = {
  'opened request_headers': ['begin', 'judge'],
  'opened response_headers': ['pass', 'pass'],
  'receiving request_body': ['collect', 'judge'],
  'receiving request_trailers': ['judge', 'judge'],
  'receiving response_headers': ['answer', 'end'],
  'released response_headers': ['answer', 'end'],
  'answering response_body': ['answer', 'end'],
  'answering response_trailers': ['end', 'end'],
  'unseen response_body': ['pass', 'pass'],
  'unseen response_trailers': ['pass', 'pass'],
};
for (const frame of frames) steps[`replied ${frame}`] = ['ignore', 'ignore'];

for (const phase of phases) {
  test(`in phase ${phase} each frame means what is written here, and everything else is a violation`, () => {
    for (const frame of frames) {
      const [more, last] = steps[`${phase} ${frame}`] ?? ['violation', 'violation'];
      assert.equal(stepOf(phase, frame, false), more, `${phase} ${frame}`);
      assert.equal(stepOf(phase, frame, true), last, `${phase} ${frame} at the end`);
    }
  });
}

test('only a request that was seen from its first frame to its last is judged', () => {
  const judging = phases.flatMap((phase) =>
    frames.flatMap((frame) => [false, true].filter((end) => stepOf(phase, frame, end) === 'judge').map(() => phase)),
  );
  assert.deepEqual([...new Set(judging)], ['opened', 'receiving']);
});
