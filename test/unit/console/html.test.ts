import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { html } from '../../../extproc/console/pages/html.ts';
import { sanitise } from '../../../extproc/terminal/sanitise.ts';

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' };

function unescaped(text: string): string {
  return text.replace(/&([a-z0-9#]+);/g, (_, name: string) => entities[name] ?? assert.fail(name));
}

test('no value ends its text or its attribute, whatever is in it', () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  const nasty = fc.string({
    unit: fc.oneof(fc.constantFrom('<', '>', '"', "'", '&', '`', '\u202e', '\0', 'a'), fc.string()),
  });
  fc.assert(
    fc.property(nasty, (value) => {
      const { text } = html`<p title="${value}">${value}</p>`;
      const inner = text.slice('<p title="'.length, -'</p>'.length);
      assert.equal(unescaped(inner.split('">')[1] ?? ''), sanitise(value), 'and nothing of it is lost');
      assert.deepEqual(inner.match(/["'`<]/g) ?? [], ['"'], 'only the quote that ends the attribute');
    }),
    { seed },
  );
});

test('what hides or turns text is named, and line ends stay', () => {
  const { text } = html`<pre>${'a\u202eb\u200b\u001b[2J\u{e0041}\nnext'}</pre>`;
  assert.equal(text, '<pre>a&lt;U+202E&gt;b&lt;U+200B&gt;&lt;U+001B&gt;[2J&lt;U+E0041&gt;\nnext</pre>');
});

test('markup of our own goes in as it is, and nothing stands for nothing', () => {
  const items = ['<b>', 'c'].map((name) => html`<li>${name}</li>`);
  assert.equal(html`<ul>${items}</ul>${null}${false}${0}`.text, '<ul><li>&lt;b&gt;</li><li>c</li></ul>0');
});
