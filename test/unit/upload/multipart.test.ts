import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';
import fc from 'fast-check';
import { type MultipartPart, readMultipart } from '../../../extproc/upload/multipart.ts';

const contentType = 'multipart/form-data; boundary=----bound';
const plain = part('name="file"; filename="a.txt"', 'hello');

function part(disposition: string, content: string, more = ''): string {
  return `------bound\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n${content}\r\n`;
}

function read(body: string | Uint8Array, type = contentType): ReturnType<typeof readMultipart> {
  return readMultipart(typeof body === 'string' ? Buffer.from(body) : body, type);
}

function partsOf(body: string | Uint8Array, type = contentType): (Omit<MultipartPart, 'bytes'> & { text: string })[] {
  const result = read(body, type);
  assert.ok(result.ok, result.ok ? '' : result.fault);
  return result.parts.map(({ bytes, ...rest }) => ({ ...rest, text: Buffer.from(bytes).toString() }));
}

function faultOf(body: string | Uint8Array, type = contentType): string {
  const result = read(body, type);
  assert.ok(!result.ok, JSON.stringify(body).slice(0, 200));
  return result.fault;
}

test('parts are read with their field, file name, type and bytes', () => {
  const body = `${part('name="display_name"', 'Demo')}${part(
    'name="files[]"; filename="demo/SKILL.md"',
    '# Skill\r\n--not the end\r\n',
    'Content-Type: text/markdown; charset=utf-8\r\n',
  )}------bound--\r\n`;
  assert.deepEqual(partsOf(body), [
    { field: 'display_name', filename: null, contentType: '', text: 'Demo' },
    {
      ...{ field: 'files[]', filename: 'demo/SKILL.md', contentType: 'text/markdown; charset=utf-8' },
      text: '# Skill\r\n--not the end\r\n',
    },
  ]);
});

test('the last line break may be missing, and a form may be empty', () => {
  assert.equal(partsOf(`${plain}------bound--`).length, 1);
  assert.deepEqual(partsOf('------bound--\r\n'), []);
  assert.deepEqual(
    partsOf(`${part('name="a"', '')}------bound--\r\n`).map(({ text }) => text),
    [''],
  );
});

for (const [name, Client] of [
  ['1.x', Anthropic],
  ['0.x', Anthropic0],
] as const) {
  test(`the uploads of the official SDK ${name} are read as they were given to it`, async () => {
    const sent: { body: Uint8Array; type: string }[] = [];
    const client = new Client({
      apiKey: 'k',
      baseURL: 'http://claude.test',
      fetch: async (url, init) => {
        const request = new Request(url as string, init as RequestInit);
        // The SDK first tries out whether this function takes a form at all.
        if (!request.url.startsWith('http://claude.test')) return fetch(request);
        sent.push({
          type: request.headers.get('content-type') ?? '',
          body: new Uint8Array(await request.arrayBuffer()),
        });
        return new Response('{}', { headers: { 'content-type': 'application/json' } });
      },
    });
    const file = new File(['# Skill'], 'demo/SKILL.md', { type: 'text/markdown' });
    const odd = new File([Buffer.alloc(1000, 7)], 'demo/ä "q".bin');
    await client.beta.skills.create({ files: [file, odd], display_title: 'Démo' } as never);
    await client.beta.files.upload({ file });
    const [skill, upload] = sent.map(({ body, type }) => partsOf(body, type));
    const files = skill?.filter(({ field }) => field === 'files[]');
    assert.deepEqual(
      files?.map(({ filename, contentType: type }) => [filename, type]),
      [
        ['demo/SKILL.md', 'text/markdown'],
        ['demo/ä %22q%22.bin', 'application/octet-stream'],
      ],
    );
    assert.equal(files?.[1]?.text, '\u0007'.repeat(1000));
    assert.ok(skill?.some(({ filename, text }) => filename === null && text === 'Démo'));
    assert.deepEqual(upload?.find(({ field }) => field === 'file')?.text, '# Skill');
  });
}

test('whatever bytes and names a form is made of, they come out again', async () => {
  const names = fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => !/[\p{Cc}\\]/u.test(name));
  const property = fc.asyncProperty(fc.array(fc.tuple(names, fc.uint8Array({ maxLength: 300 }))), async (files) => {
    const form = new FormData();
    for (const [name, bytes] of files) form.append(name, new Blob([bytes as Uint8Array<ArrayBuffer>]), `d/${name}`);
    const request = new Request('http://claude.test', { method: 'POST', body: form });
    const body = new Uint8Array(await request.arrayBuffer());
    const result = read(body, request.headers.get('content-type') ?? '');
    assert.ok(result.ok);
    assert.deepEqual(
      result.parts.map(({ filename, bytes }) => [filename, Buffer.from(bytes).toString('hex')]),
      files.map(([name, bytes]) => [`d/${name.replaceAll('"', '%22')}`, Buffer.from(bytes).toString('hex')]),
    );
  });
  await fc.assert(property, { numRuns: 50 });
});

test('a form that is cut anywhere is refused', () => {
  const body = Buffer.from(`${plain}${part('name="b"', 'x')}------bound--\r\n`);
  const whole = body.length - 2;
  for (let length = 0; length < whole; length += 1) faultOf(body.subarray(0, length));
  assert.ok(read(body.subarray(0, whole)).ok);
});

test('a form with any byte that a parser could pass over is refused', () => {
  const end = '------bound--\r\n';
  const forms = [
    `preamble\r\n${plain}${end}`,
    `\r\n${plain}${end}`,
    `${plain}${end}epilogue`,
    `${plain}${end}${plain}${end}`,
    `${plain}------bound--${plain}${end}`,
    `${plain.replace('------bound\r\n', '------bound \r\n')}${end}`,
    `${plain.replace('------bound\r\n', '------boundary\r\n')}${end}`,
    `${plain.replaceAll('\r\n', '\n')}${end}`,
    part('name="a"', 'x', 'no colon\r\n') + end,
    part('name="a"', 'x', ' folded: line\r\n') + end,
    part('name="a"', 'x', 'a:b\r\n') + end,
    part('name="a"', 'x', 'a: b\nc: d\r\n') + end,
    part('name="a"', 'x', 'x: y\r\n'.repeat(40)) + end,
    part('name="a"', 'x', 'Content-Disposition: form-data; name="b"\r\n') + end,
    part('name="a"', 'x', 'A: 1\r\na: 2\r\n') + end,
    part('name="a"', 'x', '1: reordered\r\n') + end,
    `------bound\r\n\r\nno headers\r\n${end}`,
    `------bound\r\n${end}`,
    part('name="a"', 'x', `a: ${'b'.repeat(100_000)}\r\n`) + end,
  ];
  for (const form of forms) faultOf(form);
});

test('a part whose name parsers read in different ways is refused by its number, without what it says', () => {
  const end = '------bound--\r\n';
  const faults: [string, string][] = [
    ['name="a"; filename*=UTF-8\'\'planted', 'part 2 has no plain content-disposition'],
    ['name="a"; filename="x"; filename*=UTF-8\'\'planted', 'part 2 has no plain content-disposition'],
    ['name="a"; filename="planted\\".exe"', 'part 2 has no plain content-disposition'],
    ['name="a"; filename="x"; filename="planted"', 'part 2 has no plain content-disposition'],
    ['filename="planted"; name="a"', 'part 2 has no plain content-disposition'],
    ['name=planted', 'part 2 has no plain content-disposition'],
    ['name=""', 'part 2 has no readable name'],
    ['name="a\u0000planted"', 'part 2 has no readable name'],
    ['name="a"; filename="planted\u0085"', 'part 2 has no readable filename'],
    [`name="a"; filename="${'p'.repeat(1025)}"`, 'part 2 has no readable filename'],
  ];
  for (const [disposition, fault] of faults) assert.equal(faultOf(plain + part(disposition, 'x') + end), fault);
  const latin1 = Buffer.from(`${part('name="\xff"', 'x')}${end}`, 'latin1');
  assert.equal(faultOf(latin1), 'part 1 has no readable name');
  const encoded = part('name="a"', 'eA==', 'Content-Transfer-Encoding: base64\r\n') + end;
  assert.equal(faultOf(encoded), 'part 1 has a content-transfer-encoding');
});

test('a content type without one plain boundary is refused', () => {
  const types = [
    '',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=abc',
    'multipart/form-data; boundary=----bound; boundary=other',
    'multipart/form-data; charset=utf-8; boundary=----bound',
    'multipart/form-data; boundary=----bound, multipart/form-data; boundary=other',
    'multipart/mixed; boundary=----bound',
    'application/json; boundary=----bound',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
    'multipart/form-data; boundary="----bound ',
  ];
  for (const type of types)
    assert.equal(faultOf(`${plain}------bound--`, type), 'its content-type names no plain boundary');
  assert.equal(partsOf(`${plain}------bound--`, 'Multipart/Form-Data;boundary="----bound"').length, 1);
});

test('a form with more parts than the limit is refused', () => {
  const form = (count: number) => `${part('name="a"', '').repeat(count)}------bound--\r\n`;
  assert.equal(partsOf(form(1000)).length, 1000);
  assert.equal(faultOf(form(1001)), 'it has more than 1000 parts');
  assert.equal(faultOf('------bound\r\n'.repeat(200_000)), 'it has more than 1000 parts');
});
