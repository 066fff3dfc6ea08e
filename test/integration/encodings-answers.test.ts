import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { indexedDocument } from '../../extproc/demo/indexed.ts';
import { encoders, skippableFrame } from '../builders/encoders.ts';
import { skilltape } from '../environment/command.ts';
import { readJournal } from '../environment/journal-view.ts';
import type { ScriptedAnswer, ScriptedGateway } from '../environment/scripted-upstream.ts';
import { startScriptedGateway } from '../environment/scripted-upstream.ts';

const MiB = 1024 * 1024;

let gateway: ScriptedGateway;
let answer: ScriptedAnswer = {};
before(async () => {
  gateway = await startScriptedGateway({
    connections: { claude: { identityProviders: ['idp'] } },
    answer: () => answer,
  });
});
after(() => gateway.stop());

const message = (text: string) =>
  JSON.stringify({
    ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus-5-5', stop_reason: 'end_turn' },
    ...{ content: [{ type: 'text', text }], usage: { input_tokens: 11, output_tokens: 7 } },
  });

/** Asks once, gets `body` back byte for byte, and gives what the index then has of it. */
async function answeredWith(body: Uint8Array, encoding: string) {
  answer = { headers: { 'content-encoding': encoding }, body: [...pieces(body)] };
  const request = { model: 'claude-opus-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };
  const got = await gateway.call('/v1/messages', { body: request });
  assert.equal(got.status, 200);
  assert.deepEqual(got.body, Buffer.from(body));
  assert.equal(got.header('content-encoding'), encoding);
  const [entry] = (await readJournal(gateway.dataDirectory)).filter(({ id }) => id === got.exchangeId);
  assert.deepEqual(entry?.answerBody, Buffer.from(body), 'the record has other bytes');
  return indexedDocument(gateway.dataDirectory, got.exchangeId);
}

/** Small ones, so that a border falls into every part of a coding. */
function* pieces(body: Uint8Array): Generator<Uint8Array> {
  const pieceBytes = Math.max(7, Math.ceil(body.length / 20));
  for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes);
}

for (const { name, header, encode } of encoders) {
  test(`an answer in ${name} passes as it came, and its text and usage are found`, async () => {
    const plain = Buffer.from(message(`Wound up in ${name}. `.repeat(30)));
    const { skilltape: document, gen_ai: genAi } = await answeredWith(encode(plain), header);
    assert.deepEqual([document.outcome, document.decoded], ['complete', true]);
    assert.deepEqual(document.body.answer, { codings: [header.replace('x-', '')], decoded_bytes: plain.length });
    assert.match(genAi.output.text, new RegExp(`Wound up in ${name}\\.`));
    assert.deepEqual([genAi.usage.input_tokens, genAi.usage.output_tokens], [11, 7]);
  });

  test(`JSON in ${name} whose coding is cut passes, and is not called complete`, async () => {
    const { skilltape: document } = await answeredWith(encode(Buffer.from(message('cut'))).subarray(0, -1), header);
    assert.equal(document.outcome, 'upstream_aborted');
  });
}

test('members and frames that follow one another are one answer, as for clients', async () => {
  const [first, second] = [message('in parts').slice(0, 60), message('in parts').slice(60)];
  for (const [encoding, body] of [
    ['gzip', Buffer.concat([gzipSync(first), gzipSync(second)])],
    ['zstd', Buffer.concat([zstdCompressSync(first), skippableFrame(Buffer.of(1)), zstdCompressSync(second)])],
  ] as const) {
    assert.match((await answeredWith(body, encoding)).gen_ai.output.text, /in parts/);
  }
});

const undecodable: [name: string, encoding: string, body: () => Uint8Array, reason: RegExp][] = [
  ['an unknown coding', 'x-unknown', () => Buffer.from(message('x')), /content-encoding x-unknown is not known/],
  ['a damaged stream', 'gzip', () => Buffer.from(message('x')), /its gzip is damaged or none/],
  ['a bomb', 'br', () => encoderBomb(), /it decodes to more than 100 times its size/],
];

const encoderBomb = (): Uint8Array =>
  encoders.find(({ name }) => name === 'br')?.encode(Buffer.alloc(20 * MiB)) ?? Buffer.of();

for (const [name, encoding, body, reason] of undecodable) {
  test(`an answer with ${name} passes untouched, and its document says why it was not read`, async () => {
    const { skilltape: document, gen_ai: genAi, event } = await answeredWith(body(), encoding);
    assert.deepEqual([document.decoded, document.answer], [false, null]);
    assert.match(document.decoded_detail, reason);
    assert.deepEqual([genAi.usage.input_tokens, genAi.usage.output_tokens], [null, null]);
    const { stdout } = await skilltape(['--config', gateway.configFile, 'show', event.id]);
    assert.match(stdout.replace(/\s+/g, ' '), reason);
    assert.match(stdout, /tokens +not reported/);
  });
}
