import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSource, readSource } from '../../../extproc/doctor/source.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { temporaryDirectory } from '../../builders/directory.ts';

const named = (pattern: RegExp) => (error: unknown) =>
  error instanceof SkilltapeError &&
  error.code === 'usage' &&
  pattern.test(error.message) &&
  /bootstrap/.test(error.remedy ?? '');

test('a file that cannot be read is named with the reason', (t) => {
  const directory = temporaryDirectory(t);
  assert.throws(() => readSource(join(directory, 'none.yaml')), named(/none\.yaml cannot be read: ENOENT/));
  assert.throws(() => readSource(directory), named(/cannot be read: EISDIR/));
  const binary = join(directory, 'binary');
  writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00]));
  assert.throws(() => readSource(binary), named(/not UTF-8/));
});

const bad: Record<string, [text: string, why: RegExp]> = {
  'broken YAML': ['a: [1\nb: 2', /neither YAML nor JSON \(line 2\)/],
  'broken JSON': ['{"a": 1', /neither YAML nor JSON/],
  nothing: ['', /no mapping/],
  'a list': ['- a', /no mapping/],
  'a word': ['hello', /no mapping/],
  'two documents': ['a: 1\n---\nb: 2', /neither YAML nor JSON/],
  'deep nesting': ['['.repeat(20_000), /nested too deeply|neither YAML nor JSON/],
  'deep nesting that is closed': [`a: ${'['.repeat(500)}${']'.repeat(500)}`, /nested too deeply/],
  'an alias to nothing': ['a: *b', /neither YAML nor JSON|alias/i],
  'aliases that multiply': [
    `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}]`).join('\n')}`,
    /alias/i,
  ],
};
for (const [what, [text, why]] of Object.entries(bad)) {
  test(`${what} is no configuration, and said so`, () => assert.throws(() => parseSource(text, 'x.yaml'), named(why)));
}
