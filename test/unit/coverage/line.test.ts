import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseLine } from '../../../extproc/coverage/line.ts';
import { lineText, startMs } from './example.ts';

test('a line of the shipped format is read, and what is missing is empty', () => {
  const parsed = parseLine(lineText({ exchange: null, flags: '-', upstream: null, duration_ms: 250 }));
  assert.ok(parsed.kind === 'line');
  const { line } = parsed;
  assert.deepEqual([line.exchangeId, line.flags, line.upstream], ['', '', '']);
  assert.deepEqual([line.startMs, line.endMs, line.source], [startMs, startMs + 250, '203.0.113.7']);
});

for (const name of ['time', 'status', 'details', 'request_id', 'exchange', 'verdict', 'upstream', 'source']) {
  test(`a format without ${name} is unreadable, not traffic that is well`, () => {
    const { [name]: _, ...fields } = JSON.parse(lineText()) as Record<string, unknown>;
    assert.deepEqual(parseLine(JSON.stringify(fields)), { kind: 'unreadable', reason: `it has no field ${name}` });
  });
}

const unreadable: [string, string][] = [
  ['half a line', lineText().slice(0, 100)],
  ['two lines that were written into one', lineText().slice(0, 100) + lineText()],
  ['text', '[2026-11-22T12:00:00.000Z] "POST /v1/messages HTTP/1.1" 200'],
  ['a list', '[1]'],
  ['null', 'null'],
  ['a time that is none', lineText({ time: 'yesterday' })],
  ['a time before all time', lineText({ time: '-200000-01-01T00:00:00.000Z' })],
  ['a status that is no number', lineText({ status: 'ok' })],
  ['an exchange that is no id', lineText({ exchange: "' or 1=1" })],
];
for (const [name, text] of unreadable) {
  test(`${name} is unreadable, and the reason says nothing of the line`, () => {
    const parsed = parseLine(text);
    assert.equal(parsed.kind, 'unreadable');
    assert.doesNotMatch(JSON.stringify(parsed), /messages|or 1=1/);
  });
}

test('whatever stands in the fields, a line is read to bounded values or is unreadable', () => {
  const names = Object.keys(JSON.parse(lineText()) as object);
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
      const parsed = parseLine(lineText({ [name]: value }));
      if (parsed.kind === 'unreadable') return;
      for (const each of Object.values(parsed.line)) if (typeof each === 'string') assert.ok(each.length <= 2_048);
      assert.ok(!Number.isNaN(new Date(parsed.line.endMs).getTime()));
      assert.ok(parsed.line.endMs >= parsed.line.startMs);
    }),
  );
});
