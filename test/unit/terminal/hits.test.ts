import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hitOf } from '../../../extproc/index/hit.ts';
import { renderHits } from '../../../extproc/terminal/hits.ts';
import { documentOf } from '../../builders/document.ts';

test('a hit is shown with who, where, what happened and where the words stand', () => {
  const hit = hitOf(documentOf(), { text: 'What is a tape?', marks: [{ start: 10, end: 14 }] });
  assert.equal(
    renderHits([hit], { color: false, width: 120 }),
    [
      'exchange-1  2026-01-15T10:00:00.000Z',
      '    Ada Example  claude  claude-sonnet-4-5  allow/complete  46 tokens  session session-1',
      '  | What is a tape?',
      '',
      '',
    ].join('\n'),
  );
  assert.ok(renderHits([hit], { color: true, width: 120 }).includes('What is a \u001b[7mtape\u001b[27m?'));
});

test('a match is marked at its place when the text before it holds characters that are shown by name', () => {
  const snippet = { text: '\u001b[2J\u202e needle\nx', marks: [{ start: 6, end: 12 }] };
  const [line] = renderHits([hitOf(documentOf({ user: null }), snippet)], { color: true, width: 120 })
    .split('\n')
    .filter((part) => part.startsWith('  | '));
  assert.equal(line, '  | <U+001B>[2J<U+202E> \u001b[7mneedle\u001b[27m x');
});

test('a match that is wrapped is marked on both lines', () => {
  const snippet = { text: 'a'.repeat(60), marks: [{ start: 30, end: 50 }] };
  const lines = renderHits([hitOf(documentOf(), snippet)], { color: true, width: 44 })
    .split('\n')
    .filter((part) => part.startsWith('  | '));
  assert.deepEqual(lines, [
    `  | ${'a'.repeat(30)}\u001b[7m${'a'.repeat(10)}\u001b[27m`,
    `  | \u001b[7m${'a'.repeat(10)}\u001b[27m${'a'.repeat(10)}`,
  ]);
});
