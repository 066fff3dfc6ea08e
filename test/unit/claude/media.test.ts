import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../extproc/claude/json.ts';
import { slimText } from '../../../extproc/claude/media.ts';
import { flatText, slimBlocks } from '../../../extproc/claude/text.ts';

const hashOf = (base64: string): string => `h${base64.length}`;

function dataUrl(bytes: number, type = 'image/png'): string {
  return `data:${type};base64,${Buffer.alloc(bytes, 250).toString('base64')}`;
}

test('a long data URL becomes its type, size and hash, wherever it stands in a text', () => {
  assert.equal(slimText(dataUrl(3000), hashOf), '[data image/png 3000 bytes hash h4000]');
  const text = `before ${dataUrl(2000)} between (${dataUrl(999, 'application/pdf')}) after`;
  assert.equal(
    slimText(text, hashOf),
    'before [data image/png 2000 bytes hash h2668] between ([data application/pdf 999 bytes hash h1332]) after',
  );
  assert.equal(
    slimText(`"${dataUrl(900, 'image/svg+xml;charset=utf-8')}"`, hashOf),
    '"[data image/svg+xml;charset=utf-8 900 bytes hash h1200]"',
  );
});

test('percent-encoded characters of a data URL count as what they stand for', () => {
  const plain = dataUrl(1000);
  const encoded = plain
    .replaceAll('+', '%2B')
    .replaceAll('/', (_, at: number) => (at > 20 ? '%2F' : '/'))
    .replaceAll('=', '%3D');
  assert.equal(slimText(encoded, hashOf), slimText(plain, hashOf));
});

test('short data URLs, those that are text, and text about them stay', () => {
  for (const text of [
    `${dataUrl(700)} ${'x'.repeat(2000)}`,
    `data:text/plain,${'hello%20'.repeat(500)}`,
    `data:image/png;base64, ${'x'.repeat(2000)}`,
    `metadata: a;base64,${' word'.repeat(500)}`,
    `data:one;base64\n,${'A'.repeat(2000)}`,
  ]) {
    assert.equal(slimText(text, hashOf), text);
  }
});

test('data URLs are taken out of results, texts and tool inputs alike', () => {
  const url = dataUrl(3000);
  const content = (text: string): JsonValue => [
    { type: 'tool_result', content: text },
    { type: 'text', text },
    { type: 'tool_use', name: 'Write', input: { html: `<img src="${text}">` } },
  ];
  const slim = '[data image/png 3000 bytes hash h4000]';
  assert.deepEqual(slimBlocks(content(url), hashOf), content(slim));
  assert.match(
    flatText(slimBlocks(content(url), hashOf)),
    /\[tool_result\]\n\[data image\/png 3000 bytes hash h4000\]/,
  );
});

test('a picture in the text editor is binary data, its text is not', () => {
  const view = (fileType: string, content: string): JsonValue => ({
    type: 'text_editor_code_execution_tool_result',
    content: { type: 'text_editor_code_execution_view_result', file_type: fileType, content },
  });
  const data = Buffer.alloc(3000, 1).toString('base64');
  assert.deepEqual(slimBlocks(view('image', data), hashOf), view('image', '[data image 3000 bytes hash h4000]'));
  assert.deepEqual(slimBlocks(view('text', data), hashOf), view('text', data));
  const text = 'not base64, '.repeat(500);
  assert.deepEqual(slimBlocks(view('pdf', text), hashOf), view('pdf', text));
});

const base64 = fc
  .uint8Array({ minLength: 1000, maxLength: 1500 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
/** Pieces that end or begin a data URL in every wrong way. */
const around = fc
  .array(
    fc.constantFrom(' ', ',', ':', 'data:', 'da', ';base64', 'data:;base64,', '%', '=', '\n', 'é', '\ud800', 'A'),
    {
      maxLength: 20,
    },
  )
  .map((pieces) => pieces.join(''));

test('whatever stands around a data URL, it goes and the rest stays; doing it again changes nothing', () => {
  fc.assert(
    fc.property(around, base64, around, (before, data, after) => {
      const text = `${before} data:x/y;base64,${data}"${after}`;
      const slim = slimText(text, hashOf);
      assert.ok(!slim.includes(data));
      assert.ok(slim.startsWith(`${before} [data x/y `), slim.slice(0, 200));
      assert.ok(slim.endsWith(`]"${after}`));
      assert.equal(slimText(slim, hashOf), slim);
    }),
  );
});

test('texts of many beginnings of data URLs cost no more than their length', () => {
  const mega = 1_000_000;
  for (const piece of [
    'data:',
    'data:;base64,',
    'data:x;base64',
    'data: ; ; ;',
    `data:${' '.repeat(250)}`,
    'A',
    '%',
    '=',
  ]) {
    const text = piece.repeat(Math.ceil((8 * mega) / piece.length));
    assert.ok(slimText(text, hashOf).length <= text.length);
    assert.ok(slimText(`data:x/y;base64,${text}`, hashOf).length <= text.length + 64);
  }
});
