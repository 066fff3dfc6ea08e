import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { labelledSets } from '../../../bench/masking/labelled.ts';

function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'labelled-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test('each file of JSON lines is a set of labelled texts', (t) => {
  const folder = folderWith(t, {
    'b.jsonl': '{"id":1,"text":"a@b.co","spans":[{"s":0,"e":6,"t":"EMAIL_ADDRESS"}],"more":true}\n\n',
    'a.jsonl': '{"text":"x","spans":[]}\n',
    'readme.md': 'no data',
  });
  assert.deepEqual(labelledSets(folder), [
    { name: 'a', texts: [{ id: join(folder, 'a.jsonl:1'), text: 'x', spans: [] }] },
    { name: 'b', texts: [{ id: '1', text: 'a@b.co', spans: [{ start: 0, end: 6, type: 'EMAIL_ADDRESS' }] }] },
  ]);
});

test('a line that is no labelled text is named with its place, and so is a folder without data', (t) => {
  const folder = folderWith(t, { 'a.jsonl': '{"text":"x","spans":[]}\n{"text":"x","spans":[{"s":0}]}\n' });
  assert.throws(() => labelledSets(folder), { code: 'usage', message: /a\.jsonl:2 is no labelled text/ });
  assert.throws(() => labelledSets(folderWith(t, { 'a.jsonl': 'no JSON\n' })), {
    code: 'usage',
    message: /a\.jsonl:1/,
  });
  assert.throws(() => labelledSets(folderWith(t, {})), { code: 'usage', message: /there is no \*\.jsonl in/ });
});
