import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtInDetection } from '../../../extproc/masking/own-detection.ts';
import { usualMasking } from '../../../extproc/policy/masking-decision.ts';
import { maskDocument } from '../../../extproc/transcript/masked-document.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { draftOf, eventStream, masker, messageOf, messagesRequest, transcriptOf } from './example.ts';

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
console.log(`split secrets: FC_SEED=${seed}`);

/** Made up here, so that no scanner takes this file for a leak. */
const secrets = {
  'key of Anthropic': `sk-ant-api03-${'aB3-xY9_'.repeat(11)}AA`,
  'token of GitHub': `ghp_${'a1B2c3D4e5F6'.repeat(3)}`,
  'e-mail address': 'grace.hopper@sternwarte-mail.net',
  'card number': '4111 1111 1111 1111',
  iban: 'DE89 3704 0044 0532 0130 00',
};

/** What of a secret must not be readable: most of it in a row, however it is written. */
function assertUnreadable(document: string, secret: string, where: string): void {
  const kept = Math.min(secret.length, 12);
  const bare = document.replaceAll('\\', '');
  for (let at = 0; at + kept <= secret.length; at += 1)
    assert.ok(!bare.includes(secret.slice(at, at + kept)), `${where}: ${at} of it on`);
}

async function documentOf(transcript: Transcript): Promise<string> {
  return JSON.stringify(maskDocument(await draftOf(transcript), masker, 100_000, usualMasking, builtInDetection));
}

type Event = { type: string } & Record<string, unknown>;

function streamOf(block: object, deltas: readonly object[]): Uint8Array {
  const events: Event[] = [
    { type: 'message_start', message: messageOf('', { content: [] }) },
    { type: 'content_block_start', index: 0, content_block: block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_stop' },
  ];
  return Buffer.from(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
}

function cutAt(text: string, ...places: readonly number[]): string[] {
  const edges = [0, ...places, text.length];
  return edges.slice(1).map((end, at) => text.slice(edges[at], end));
}

const kinds = {
  text: (parts: readonly string[]) =>
    streamOf(
      { type: 'text', text: '' },
      parts.map((text) => ({ type: 'text_delta', text })),
    ),
  thinking: (parts: readonly string[]) =>
    streamOf(
      { type: 'thinking', thinking: '', signature: '' },
      parts.map((thinking) => ({ type: 'thinking_delta', thinking })),
    ),
  'tool arguments': (parts: readonly string[]) =>
    streamOf(
      { type: 'tool_use', id: 't', name: 'n', input: {} },
      parts.map((partial) => ({ type: 'input_json_delta', partial_json: partial })),
    ),
};

/** How the secret stands in the text that is cut: as it is, escaped, as an argument and as its key. */
const written: Record<keyof typeof kinds, ((secret: string) => string)[]> = {
  text: [(secret) => `before ${secret} after`, (secret) => JSON.stringify({ a: JSON.stringify({ b: secret }) })],
  thinking: [(secret) => `hm ${secret}, so`],
  'tool arguments': [
    (secret) => JSON.stringify({ command: `run ${secret}` }),
    (secret) => JSON.stringify({ [secret]: [1] }),
    (secret) => JSON.stringify({ env: JSON.stringify({ inner: `"${secret}"` }) }),
    (secret) =>
      `{"command":"${[...secret].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`,
  ],
};

for (const [kind, stream] of Object.entries(kinds)) {
  test(`a secret in ${kind} of a stream is masked, wherever its deltas are cut`, async () => {
    for (const [name, secret] of Object.entries(secrets)) {
      for (const write of written[kind as keyof typeof kinds]) {
        const text = write(secret);
        for (let at = 1; at < text.length; at += 1) {
          const answerBody = stream(cutAt(text, at));
          const document = await documentOf(transcriptOf({ answerBody, answerHeaders: eventStream }));
          assertUnreadable(document, secret, `${name} in ${kind}, cut at ${at}`);
        }
      }
    }
  });
}

test('a secret is masked however many cuts there are, and however the bytes of the stream are broken off', async () => {
  const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 12 });
  const kindNames = fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[]));
  await fc.assert(
    fc.asyncProperty(
      kindNames,
      fc.constantFrom(...Object.values(secrets)),
      cuts,
      fc.nat(),
      async (kind, secret, places, end) => {
        const write = written[kind][end % written[kind].length] ?? String;
        const text = write(secret);
        const whole = kinds[kind](cutAt(text, ...places.map((at) => at % text.length).toSorted((a, b) => a - b)));
        // Half of them end somewhere before their end.
        const answerBody = end % 2 === 0 ? whole : whole.subarray(0, end % whole.length);
        const document = await documentOf(transcriptOf({ answerBody, answerHeaders: eventStream }));
        if (end % 2 === 0) assertUnreadable(document, secret, kind);
        assert.ok(!document.includes(secret));
      },
    ),
    { seed, numRuns: 300 },
  );
});

const disguises: Record<string, (secret: string) => string> = {
  base64: (secret) => Buffer.from(`key=${secret} and more of it`).toString('base64'),
  base64url: (secret) => Buffer.from(`{"k":"${secret}","p":1}`).toString('base64url'),
  'percent-encoded': (secret) => [...secret].map((char) => `%${char.charCodeAt(0).toString(16)}`).join(''),
  'zero width': (secret) => [...secret].join('\u200b'),
  'wide forms': (secret) =>
    [...secret].map((char) => (char === ' ' ? ' ' : String.fromCharCode(char.charCodeAt(0) + 0xfee0))).join(''),
  'JSON in JSON': (secret) => JSON.stringify(JSON.stringify({ a: secret })),
};

for (const [name, disguise] of Object.entries(disguises)) {
  test(`a secret in disguise (${name}) is in no place of the document`, async () => {
    // What a card number or an account number is in base64 or wide forms is for the engine's own tests.
    for (const secret of [secrets['key of Anthropic'], secrets['token of GitHub'], secrets['e-mail address']]) {
      const hidden = disguise(secret);
      const content = [
        { type: 'text', text: `see ${hidden} there` },
        { type: 'tool_use', id: 't', name: 'n', input: { path: `/tmp/${hidden}`, [`k ${hidden}`]: [hidden] } },
        { type: 'document', title: hidden, source: { type: 'text', media_type: 'text/plain', data: hidden } },
      ];
      const error = { type: 'error', error: { type: 'api_error', message: `no ${hidden}` } };
      const transcripts = [
        transcriptOf({ request: messagesRequest(content), answer: messageOf('', { content }) }),
        transcriptOf({ answer: error, answerStatus: 400, started: { headers: [['user-agent', `x ${hidden}`]] } }),
        transcriptOf({ started: { path: `/v1/files/${encodeURIComponent(hidden)}` } }),
      ];
      for (const transcript of transcripts) {
        const document = await documentOf(transcript);
        assert.ok(!document.includes(hidden), `${name}: ${secret.slice(0, 6)}…`);
        assertUnreadable(document, secret, name);
      }
    }
  });
}

test('a number of any length that is a card is masked in any place of a tool’s arguments', async () => {
  for (const card of ['4111111111111111', '4111111111111111110', '6011000990139424', '378282246310005']) {
    const luhn = withCheckDigit(card.slice(0, -1));
    const body = `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_use","id":"t","name":"n","input":{"a":${luhn},"b":[-${luhn}]}}]}]}`;
    const document = await documentOf(transcriptOf({ requestBody: Buffer.from(body), answer: messageOf('') }));
    assert.ok(!document.includes(luhn.slice(0, 12)), luhn);
    assert.match(document, /\[CARD\]/);
  }
});

function withCheckDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const doubled = Number(digit) * (at % 2 === 0 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}

test('what is found is told by type, place and count, and a list of findings never holds a value', async () => {
  const planted = fc.constantFrom(...Object.values(secrets));
  await fc.assert(
    fc.asyncProperty(fc.array(planted, { minLength: 1, maxLength: 5 }), async (values) => {
      const transcript = transcriptOf({ request: messagesRequest(values.join(' and ')) });
      const { masking } = maskDocument(
        await draftOf(transcript),
        masker,
        100_000,
        usualMasking,
        builtInDetection,
      ).skilltape;
      assert.ok(masking.findings.length > 0);
      for (const finding of masking.findings) {
        assert.deepEqual(Object.keys(finding), ['type', 'place', 'count']);
        assert.match(`${finding.type} ${finding.place}`, /^[A-Z_]+ [a-z_]+$/);
      }
    }),
    { seed, numRuns: 50 },
  );
});
