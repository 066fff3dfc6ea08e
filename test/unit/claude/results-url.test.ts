import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rewriteResultsUrls } from '../../../extproc/claude/results-url.ts';

const base = 'https://gateway.example.org/team-a';
const upstream = 'https://api.anthropic.com/v1/messages/batches/msgbatch_1/results';
const own = `${base}/v1/messages/batches/msgbatch_1/results`;
const plenty = 1_000_000;

function changed(json: string | Uint8Array, baseUrl = base, maxBytes = plenty): string {
  const result = rewriteResultsUrls(Buffer.from(json), baseUrl, maxBytes);
  return result.ok ? Buffer.from(result.bytes).toString('latin1') : result.fault;
}

test('the link of a batch leads below the base URL, and blanks, order and numbers stay as they were', () => {
  const before = '{ "id" : "msgbatch_1",\n\t"n": 1.0e2,"results_url"\r\n:  "@",  "z":{"a":1,"a":2} }';
  assert.equal(changed(before.replace('@', upstream)), before.replace('@', own));
});

test('every batch of a list is changed, at any depth', () => {
  const entry = (url: string) => `{"results_url":"${url}","more":[{"results_url":"${url}"}]}`;
  const list = (url: string) => `{"data":[${entry(url)},${entry(url)}]}`;
  assert.equal(changed(list(upstream)), list(own));
});

test('escapes in the key and in the link hide neither', () => {
  for (const key of ['results\\u005furl', '\\u0072esults_url', 'results_ur\\u006C']) {
    assert.equal(changed(`{"${key}":"${upstream}"}`), `{"${key}":"${own}"}`, key);
  }
  const escaped = [
    upstream.replaceAll('/', '\\/'),
    upstream.replace('v1', '\\u00761'),
    upstream.replaceAll('/', '\\u002f'),
    upstream.replace('batches/', 'batches/./'),
    upstream.replace('https', 'HTTPS'),
    upstream.replace('api.anthropic.com', 'user:password@api.anthropic.com:443'),
    upstream.replace('api.anthropic.com', 'b\u00fccher.example'),
    upstream.replace('/v1', '\\\\v1'),
  ];
  for (const url of escaped) assert.equal(changed(`{"results_url":"${url}"}`), `{"results_url":"${own}"}`, url);
});

test('the query of a link stays', () => {
  assert.equal(changed(`{"results_url":"${upstream}?beta=true"}`), `{"results_url":"${own}?beta=true"}`);
});

test('what is no link to results stays', () => {
  const others = [
    'null',
    '7',
    '""',
    '{"results_url":null}',
    `["${upstream}"]`,
    `"${own}"`,
    '"/v1/messages/batches/msgbatch_1/results"',
    '"https://files.example.org/signed/abc"',
    `"${upstream}/more"`,
    `"${upstream}#part"`,
    `"${upstream.replace('/results', '')}"`,
    `"${upstream.replace('msgbatch_1', 'a%2Fb')}"`,
    `"ftp${upstream.slice(5)}"`,
    `"javascript:${upstream}"`,
    `"${upstream}${'?'.padEnd(5000, 'x')}"`,
  ];
  for (const value of others) {
    const json = `{"results_url":${value},"other":"${upstream}","Results_url":"${upstream}","results_url ":"${upstream}"}`;
    assert.equal(changed(json), json, value.slice(0, 100));
  }
  const asText = JSON.stringify({
    text: `{"results_url":"${upstream}"}`,
    results_url: 'results_url',
    key: 'results_url',
  });
  assert.equal(changed(asText), asText);
});

test('without a link the very bytes come back', () => {
  const json = Buffer.from('{"results_url":null}');
  const result = rewriteResultsUrls(json, base, plenty);
  assert.ok(result.ok);
  assert.equal(result.bytes, json);
});

test('a text that is no JSON is a fault, and so is one that would grow beyond the limit', () => {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  for (const text of [
    '',
    '{',
    '{"results_url":',
    `{"results_url":"${upstream}"`,
    '\u0000',
    nested,
    Buffer.from('{}', 'utf16le'),
  ]) {
    assert.equal(changed(text), 'not_json', String(text).slice(0, 40));
  }
  const link = `{"results_url":"${upstream}"}`;
  const grown = link.length + own.length - upstream.length;
  assert.ok(grown > 0);
  assert.equal(changed(link, base, grown).length, grown);
  assert.equal(changed(link, base, grown - 1), 'too_large');
  assert.equal(changed('[1,2]', base, 4), 'too_large');
});

test('a byte order mark and bytes that are no UTF-8 stay where they were', () => {
  const [head, tail] = [Buffer.from('\ufeff{"x":"'), Buffer.from(`","results_url":"${upstream}"}`)];
  const broken = Buffer.from([0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80]);
  const expected = Buffer.concat([head, broken, Buffer.from(tail.toString().replace(upstream, own))]);
  assert.equal(changed(Buffer.concat([head, broken, tail])), expected.toString('latin1'));
});

/** Values that carry links in places of every kind, as text with `link` where one that must change stands. */
const link = '<a link that must change>';
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('results_url', '"results_url":', upstream, '\\"'),
);
const leaf = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify(value)),
  anyText.map((text) => JSON.stringify(text)),
);
const space = fc.constantFrom('', ' ', '\n', '\t\r\n ');
const { json } = fc.letrec<{ json: string; list: string; object: string }>((tie) => ({
  json: fc.oneof({ depthSize: 'small' }, leaf, tie('list'), tie('object')),
  list: fc
    .tuple(fc.array(tie('json'), { maxLength: 4 }), space)
    .map(([items, gap]) => `[${items.join(`${gap},`)}${gap}]`),
  object: fc
    .array(
      fc.oneof(
        fc.tuple(anyText, space, tie('json')).map(([key, gap, value]) => `${JSON.stringify(`k${key}`)}${gap}:${value}`),
        fc.tuple(space, space).map(([one, two]) => `"results_url"${one}:${two}"${link}"`),
      ),
      { maxLength: 4 },
    )
    .map((members) => `{${members.join(',')}}`),
}));

test('property: exactly the links change, and every byte outside them stays', () => {
  fc.assert(
    fc.property(json, (text) => {
      assert.equal(
        changed(text.replaceAll(link, upstream)),
        Buffer.from(text.replaceAll(link, own)).toString('latin1'),
      );
    }),
    { numRuns: 500 },
  );
});

test('hostile texts take linear time', () => {
  const size = 400_000;
  const texts = [
    `"${'\\\\'.repeat(size)}"`,
    `[${'"results_url",'.repeat(size / 20)}1]`,
    `{"results_url"${' '.repeat(size)}:"x"}`,
    `["${'results_url'.repeat(size / 10)}"${' '.repeat(size)}]`,
    `[${'""'.concat(' '.repeat(50), ',').repeat(size / 50)}1]`,
  ];
  for (const text of texts) assert.equal(changed(text, base, 10 * size), text);
});
