import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../extproc/claude/json.ts';
import { bodyFacts, notSearched, type RequestFindings } from '../../../extproc/exchange/body.ts';
import { requestFacts } from '../../../extproc/exchange/facts.ts';
import { findingsSearch } from '../../../extproc/exchange/request-findings.ts';
import { requestInput as requestSchema } from '../../../extproc/policy/input.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import { requestHeaders, wholeRequest } from './frames.ts';
import { claude, createRig, play } from './rig.ts';

const mail = 'grace@navy.example.org';
const key = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
const enough = 1_000_000;
const { request: findingsInRequest, batch: findingsInBatch, parts: findingsInParts } = findingsSearch;

function told({ findings }: RequestFindings): string[] {
  return findings.map(({ type, place, count }) => `${count} ${type} ${place}`);
}

function inRequest(value: object, maxChars = enough): RequestFindings {
  return findingsInRequest(value as JsonValue, maxChars);
}

test('what is found in a request is told by type and place', () => {
  const found = inRequest({
    system: [{ type: 'text', text: `${mail} 203.0.113.77` }],
    tools: [{ name: 'find', description: key, input_schema: { properties: { [mail]: {} } } }],
    metadata: { user_id: mail },
    messages: [
      { role: 'user', content: `card 4111 1111 1111 1111 and ${mail}` },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'find', input: { password: 'hunter22' } }] },
      { role: 'user', content: [{ type: 'tool_result', content: [{ type: 'text', text: `${mail} ${mail}` }] }] },
      { role: 'user', content: [{ type: 'document', source: { type: 'text', data: key }, title: mail }] },
    ],
  });
  assert.deepEqual(told(found), [
    '1 EMAIL system',
    '1 EMAIL tools',
    '1 EMAIL messages',
    '2 EMAIL tool_result',
    '1 EMAIL file',
    '1 EMAIL other',
    '1 CARD messages',
    '1 IP system',
    '1 SECRET tools',
    '1 SECRET messages',
    '1 SECRET file',
  ]);
  assert.equal(found.findings_complete, true);
});

test('a value is found wherever it stands, whatever a caller puts around it', () => {
  const places: object[] = [
    { messages: [{ role: 'user', content: { text: key } }] },
    { messages: [{ role: 'user', [key]: 1, content: 'x' }] },
    { messages: [{ role: 'user', content: [[{ type: 'text', text: [[key]] }]] }] },
    { messages: [[key]] },
    { messages: key },
    { messages: [], requests: [{ params: { messages: [{ content: key }] } }] },
    { [key]: null },
    { prompt: key },
    { thinking: { type: 'enabled', budget_tokens: 1, [key]: 2 } },
    { container: { skills: [{ type: 'custom', skill_id: key }] } },
    { events: [{ type: 'user.message', content: [{ type: 'text', text: key }] }] },
    { messages: [{ role: 'user', content: JSON.stringify({ a: JSON.stringify({ b: key }) }) }] },
    { messages: [{ role: 'user', content: Buffer.from(`the key is ${key} here`).toString('base64') }] },
    {
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'image',
              source: { type: 'base64', media_type: 'text/plain', data: Buffer.from(`key: ${key}`).toString('base64') },
            },
          ],
        },
      ],
    },
    {
      messages: [
        {
          role: 'user',
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: `not base64: ${key}` } }],
        },
      ],
    },
    JSON.parse(`{"messages":[{"role":"user","__proto__":{"a":"${key}"},"content":"x"}]}`),
  ];
  for (const value of places) {
    const { findings } = inRequest(value);
    assert.ok(
      findings.some(({ type }) => type === 'SECRET'),
      JSON.stringify(value),
    );
  }
});

test('the data of pictures takes no room, and what stands beside it is found', () => {
  const data = Buffer.alloc(3_000, 7).toString('base64');
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
  const found = inRequest({ messages: [{ role: 'user', content: [image, { type: 'text', text: mail }] }] }, 300);
  assert.deepEqual([told(found), found.findings_complete], [['1 EMAIL messages'], true]);
});

test('of a request without room for all the newest is searched first, and it is said that not all was', () => {
  const filler = 'x y '.repeat(200);
  const conversation = (first: string, last: string) => ({
    messages: [
      { role: 'user', content: `${first} ${filler}` },
      { role: 'assistant', content: filler },
      { role: 'user', content: last },
    ],
  });
  const old = inRequest(conversation(mail, 'new'), 600);
  assert.deepEqual([told(old), old.findings_complete], [[], false]);
  const recent = inRequest(conversation('old', mail), 600);
  assert.deepEqual([told(recent), recent.findings_complete], [['1 EMAIL messages'], false]);
  assert.equal(inRequest(conversation(mail, mail), 10_000).findings_complete, true);
});

test('a search is complete exactly when there was room for every character', () => {
  const value = { messages: [{ role: 'user', content: 'twelve chars' }], max_tokens: 100 };
  let room = 1;
  while (!inRequest(value, room).findings_complete) room += 1;
  const chars = ['messages', 'role', 'user', 'twelve chars', 'max_tokens', '100'].join('').length;
  assert.ok(room >= chars && room < chars + 20, `${room}`);
});

test('each request of a batch is searched as if it came by itself, in the same room', () => {
  const params = { system: mail, messages: [{ role: 'user', content: [{ type: 'tool_result', content: key }] }] };
  const batch = {
    requests: [
      { custom_id: mail, params },
      { custom_id: 'b', params },
    ],
    extra: '203.0.113.77',
  };
  const found = findingsInBatch(batch, enough);
  assert.deepEqual(told(found), ['2 EMAIL system', '1 EMAIL other', '1 IP other', '2 SECRET tool_result']);
  assert.equal(findingsInBatch(batch, 60).findings_complete, false);
});

test('files that are text are searched with their names; others are not, and take no room', () => {
  const part = (filename: string | null, bytes: Buffer) => ({ field: 'file', filename, contentType: '', bytes });
  const text = Buffer.from(`ä ${mail}\n${key}`);
  const binary = Buffer.concat([Buffer.alloc(1_000, 0xff), Buffer.from(key.repeat(100))]);
  const found = findingsInParts([part(`${mail}.txt`, text), part(null, binary), part('b', text)], 300);
  assert.deepEqual([told(found), found.findings_complete], [['3 EMAIL file', '2 SECRET file'], true]);
  const long = findingsInParts([part('a', Buffer.from('ä'.repeat(301)))], 300);
  assert.equal(long.findings_complete, false);
  assert.equal(findingsInParts([part('', Buffer.from('ä'.repeat(290)))], 300).findings_complete, true);
});

test('a few odd bytes, another coding of text or a NUL hide nothing in a file', () => {
  const utf16 = Buffer.from(`\ufeff${key}`, 'utf16le');
  const contents = [
    Buffer.concat([Buffer.from(`${key} `), Buffer.of(0xff, 0, 0x80)]),
    Buffer.from(`für ${key} dürfen`, 'latin1'),
    utf16,
    Buffer.from(utf16).swap16(),
  ];
  for (const bytes of contents) {
    const found = findingsInParts([{ field: 'file', filename: 'a', contentType: '', bytes }], enough);
    assert.deepEqual(told(found), ['1 SECRET file'], bytes.toString('latin1'));
  }
});

test('no value is in what is told, whatever the request', () => {
  const text = fc.oneof(fc.constantFrom(mail, key, '4111 1111 1111 1111', '{"password":"planted"}'), fc.string());
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.double({ noNaN: true }),
      fc.constantFrom(null, true),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.oneof(fc.constantFrom('messages', 'content', 'type', 'system', 'source', 'data'), text),
        tie('value'),
        { maxKeys: 4 },
      ),
    ),
  })).value as fc.Arbitrary<JsonValue>;
  fc.assert(
    fc.property(json, fc.integer({ min: 1, max: 500 }), (value, maxChars) => {
      for (const found of [findingsInRequest(value, maxChars), findingsInBatch({ requests: [value] }, maxChars)]) {
        requestSchema.pick({ findings: true, findings_complete: true }).parse(found);
        for (const { count } of found.findings) assert.ok(Number.isInteger(count) && count > 0);
      }
    }),
  );
});

const factsOf = (path: string, type = 'application/json') => {
  const { headers, ...frame } = requestHeaders({ path });
  const rest = headers.filter(([name]) => name !== 'content-type');
  return requestFacts({ ...frame, headers: [...rest, ['content-type', type]] }, claude, '');
};

test('a body is searched in the form of its endpoint, and only where it is asked for', () => {
  const bodies: readonly [path: string, body: object, expected: string][] = [
    ['/v1/messages', { model: 'm', messages: [{ role: 'user', content: mail }] }, '1 EMAIL messages'],
    ['/v1/complete', { model: 'm', prompt: mail, max_tokens_to_sample: 1 }, '1 EMAIL messages'],
    [
      '/v1/messages/batches',
      { requests: [{ custom_id: 'a', params: { model: 'm', messages: [{ role: 'user', content: mail }] } }] },
      '1 EMAIL messages',
    ],
    ['/v1/agents', { model: 'm', system: mail }, '1 EMAIL system'],
  ];
  for (const [path, body, expected] of bodies) {
    const place = { ...factsOf(path), decoding: decodingLimits };
    const bytes = Buffer.from(JSON.stringify(body));
    assert.deepEqual(
      told(bodyFacts({ ...place, findingsMaxChars: enough, search: findingsSearch }, bytes).findings),
      [expected],
      path,
    );
    assert.deepEqual(bodyFacts(place, bytes).findings, notSearched, path);
  }
  const place = {
    ...factsOf('/v1/messages'),
    decoding: decodingLimits,
    findingsMaxChars: enough,
    search: findingsSearch,
  };
  assert.deepEqual(bodyFacts(place, Buffer.alloc(0)).findings, { findings: [], findings_complete: true });
  assert.deepEqual(bodyFacts(place, Buffer.from('{"oops"')).findings, notSearched);
  const multipart = `--abcd\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${mail}\r\n--abcd--\r\n`;
  const upload = { ...factsOf('/v1/files', 'multipart/form-data; boundary=abcd'), decoding: decodingLimits };
  assert.deepEqual(
    told(bodyFacts({ ...upload, findingsMaxChars: enough, search: findingsSearch }, Buffer.from(multipart)).findings),
    ['1 EMAIL file'],
  );
});

test('policy is told of findings where it looks at them, and the record has what policy was told', async () => {
  const body = { model: 'claude-opus-5-5', messages: [{ role: 'user', content: `${mail} ${key}` }] };
  for (const looks of [true, false]) {
    const { open, judge } = createRig({ requestFindingsMaxChars: 500 });
    judge.looksAtFindings = looks;
    const [headers] = wholeRequest;
    assert.ok(headers !== undefined);
    const bytes = Buffer.from(JSON.stringify(body));
    await play(open(), [headers, { kind: 'request_body', body: bytes, endOfStream: true }]);
    const [input] = judge.requestInputs;
    assert.deepEqual(
      [input?.findings.map(({ type }) => type), input?.findings_complete],
      looks ? [['EMAIL', 'SECRET'], true] : [[], false],
    );
    assert.ok(!JSON.stringify(input).includes(key));
  }
});
