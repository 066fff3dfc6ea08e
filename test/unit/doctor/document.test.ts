import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderDocument } from '../../../extproc/doctor/document.ts';

test('docs/doctor.md lists every trap as the code has it', () => {
  const page = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8');
  const remedy = 'run: node_modules/.bin/node extproc/doctor/document.ts > docs/doctor.md';
  assert.equal(page, `${renderDocument().trimEnd()}\n`, remedy);
});
