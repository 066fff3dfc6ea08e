import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uploadFacts } from '../../../extproc/exchange/upload-facts.ts';
import { inputMaxBytes } from '../../../extproc/policy/input-bounds.ts';
import { type MultipartPart, multipartLimits } from '../../../extproc/upload/multipart.ts';

function file(filename: string | null, contentType = 'text/plain', field = 'files[]'): MultipartPart {
  return { field, filename, contentType, bytes: Buffer.from('12345') };
}

test('an extension is found whatever is done to hide it', () => {
  const names: [string, string][] = [
    ['a.exe', 'exe'],
    ['a.EXE', 'exe'],
    ['a.exe. . ', 'exe'],
    ['demo/x.y/a.tar.gz', 'gz'],
    ['demo\\a.exe', 'exe'],
    ['demo.exe/a', ''],
    ['.env', 'env'],
    ['a', ''],
    ['', ''],
    ['a.ex\u202ee', ''],
    ['a.éxe', ''],
    [`a.${'x'.repeat(17)}`, ''],
  ];
  for (const [name, extension] of names) assert.deepEqual(uploadFacts([file(name)]).extensions, [extension], name);
  assert.deepEqual(uploadFacts([file(null)]).extensions, [], 'a field is no file');
});

test('sizes are summed, and each extension and type is said once', () => {
  const facts = uploadFacts([file('a.md'), file('b.MD', 'Text/Plain; charset=utf-8'), file(null, '', 'name')]);
  const { bytes, count, extensions, content_types, truncated } = facts;
  assert.deepEqual([bytes, count, extensions, content_types, truncated], [15, 3, ['md'], ['text/plain', ''], false]);
  assert.deepEqual(facts.parts[2], { field: 'name', filename: '', content_type: '', bytes: 5 });
});

test('the largest upload that is read makes a document that can be judged, and no extension is left out', () => {
  const long = multipartLimits.nameMaxBytes;
  const parts = Array.from({ length: multipartLimits.partsMax }, (_, at) =>
    file(`${'é'.repeat(long / 2 - 20)}.${String(at).padStart(16, 'x')}`, 't'.repeat(long), 'f'.repeat(long)),
  );
  const facts = uploadFacts(parts);
  assert.equal(facts.truncated, true);
  assert.equal(facts.extensions.length, multipartLimits.partsMax);
  assert.deepEqual(facts.content_types, ['other']);
  const size = Buffer.byteLength(JSON.stringify(facts));
  assert.ok(size < inputMaxBytes - 8192, String(size));
});
