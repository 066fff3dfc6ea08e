import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingPlaces } from '../../../extproc/masking/finding.ts';
import { builtInDetection } from '../../../extproc/masking/own-detection.ts';
import { type MaskingDecision, usualMasking } from '../../../extproc/policy/masking-decision.ts';
import type { ExchangeDocument } from '../../../extproc/transcript/document.ts';
import { maskDocument } from '../../../extproc/transcript/masked-document.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { ada, decidedOf, draftsOf, masker, messageOf, messagesRequest, startedOf, transcriptOf } from './example.ts';

const mail = 'grace@navy.example.org';
const address = '203.0.113.77';
const key = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;

async function documentsOf(transcript: Transcript, change: Partial<MaskingDecision> = {}): Promise<ExchangeDocument[]> {
  const masking = { ...usualMasking, ...change };
  const drafts = await draftsOf(transcript, { masking });
  return drafts.map(({ draft }) => maskDocument(draft, masker, 100_000, masking, builtInDetection));
}

async function documentOf(transcript: Transcript, change: Partial<MaskingDecision> = {}): Promise<ExchangeDocument> {
  const [own = assert.fail('no document')] = await documentsOf(transcript, change);
  return own;
}

/** The same address, host and key in each field. */
const everywhere = (): Transcript => {
  const text = `${mail} ${address} ${key}`;
  const tools = [{ name: 'find', description: `tools ${text}`, input_schema: { type: 'object' } }];
  const result = [{ type: 'tool_result', tool_use_id: 'toolu_1', content: `result ${text}` }];
  const messages = [
    { role: 'user', content: `messages ${text}` },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'find', input: {} }] },
    { role: 'user', content: result },
  ];
  return transcriptOf({
    request: messagesRequest('', { system: `system ${text}`, tools, messages }),
    answer: messageOf(`answer ${text}`),
    started: { headers: [['user-agent', `agent ${text}`]] },
  });
};

/** By name of the field, what can be read in it. */
function fieldsOf({ skilltape }: ExchangeDocument): Record<string, string> {
  const { system, tools, new_messages: messages, answer } = skilltape;
  return Object.fromEntries(
    Object.entries({ system, tools, messages, answer }).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}

test('types that policy leaves are readable in all fields, and the document says which', async () => {
  const document = await documentOf(everywhere(), { off: ['IP', 'URL'] });
  for (const [name, text] of Object.entries(fieldsOf(document))) {
    assert.ok(text.includes(address) && !text.includes(mail) && !text.includes(key), name);
  }
  assert.ok(document.gen_ai.output.text.includes(address));
  // URLs are readable by default: that is nothing to tell of.
  assert.deepEqual(document.skilltape.masking.readable, ['IP']);
});

test('in a field that is kept whole nothing but secrets is masked, and in all others everything is', async () => {
  for (const field of ['system', 'tools', 'messages', 'answer'] as const) {
    const document = await documentOf(everywhere(), { whole: [field] });
    for (const [name, text] of Object.entries(fieldsOf(document))) {
      assert.equal(text.includes(mail) && text.includes(address), name === field, `${field}: ${name}`);
      assert.ok(!text.includes(key), name);
    }
    assert.ok(!document.user_agent.original.includes(mail));
    assert.deepEqual(document.skilltape.masking.whole, [field]);
  }
});

test('with the consequence said, secrets are readable in fields that are kept whole too', async () => {
  const change = { off: ['SECRET' as const], whole: ['system' as const] };
  const document = await documentOf(everywhere(), change);
  for (const [name, text] of Object.entries(fieldsOf(document))) {
    assert.ok(text.includes(key), name);
    assert.equal(text.includes(mail), name === 'system', name);
  }
});

test('a field that policy drops is in no text of the document, and the document says so', async () => {
  for (const drop of ['system', 'tools', 'messages', 'answer'] as const) {
    const document = await documentOf(everywhere(), { drop: [drop] });
    const text = JSON.stringify(document);
    for (const name of ['system', 'tools', 'messages', 'answer'])
      assert.equal(new RegExp(`"[^"]*${name} \\[EMAIL`).test(text), name !== drop, `${drop}: ${name}`);
    assert.deepEqual(document.skilltape.masking.dropped, [drop]);
    assert.ok(!document.skilltape.masking.findings.some(({ place }) => place === drop));
  }
});

test('the error that an upstream wrote can be dropped', async () => {
  const answer = { type: 'error', error: { type: 'invalid_request_error', message: 'you said so' } };
  const transcript = transcriptOf({ answer, answerStatus: 400, finished: { outcome: 'upstream_error', status: 400 } });
  assert.ok(JSON.stringify(await documentOf(transcript)).includes('you said so'));
  assert.ok(!JSON.stringify(await documentOf(transcript, { drop: ['error'] })).includes('you said so'));
});

test('what is dropped in an exchange is dropped in the prompts of its batch', async () => {
  const params = messagesRequest('a prompt', { system: 'a system' });
  const requests = [1, 2].map((number) => ({ custom_id: `c${number}`, params }));
  const transcript = transcriptOf({
    request: { requests },
    answer: { id: 'msgbatch_1', type: 'message_batch' },
    started: startedOf({ path: '/v1/messages/batches' }),
  });
  const whole = await documentsOf(transcript);
  assert.equal(whole.length, 3);
  assert.ok(JSON.stringify(whole[1]).includes('a system'));
  for (const document of await documentsOf(transcript, { drop: ['system', 'messages'] }))
    assert.doesNotMatch(JSON.stringify(document), /a system|a prompt/);
});

test('a dropped field is no turn that was seen, so it is kept when it comes again under another decision', async () => {
  const hashesOf = async (drop: MaskingDecision['drop']): Promise<readonly string[]> => {
    const [own] = await draftsOf(everywhere(), { masking: { ...usualMasking, drop } });
    return own?.brought.turnHashes ?? [];
  };
  const all = await hashesOf([]);
  const missing = async (drop: MaskingDecision['drop']) => {
    const kept = await hashesOf(drop);
    return all.filter((hash) => !kept.includes(hash)).length;
  };
  assert.deepEqual([await missing(['system']), await missing(['tools'])], [1, 1]);
  assert.equal(await missing(['messages']), all.length - 2);
  // Otherwise the next request would show it, as history that nobody saw before.
  assert.equal(await missing(['answer']), 0);
});

test('findings are told by type and place, and no value is in them', async () => {
  const { masking } = (await documentOf(everywhere())).skilltape;
  const places = masking.findings.filter(({ type }) => type === 'EMAIL').map(({ place, count }) => `${count} ${place}`);
  assert.deepEqual(places, ['1 answer', '1 messages', '1 other', '1 system', '1 tool_result', '1 tools']);
  for (const { type, place } of masking.findings) {
    assert.match(type, /^[A-Z_]+$/);
    assert.ok(findingPlaces.some((known) => known === place));
  }
});

test('what a caller calls a tool result, and what is nested in odd ways, is counted somewhere', async () => {
  const odd = [
    { type: 'tool_result', content: [{ type: 'text', text: [[{ type: 'x', text: mail }]] }] },
    { type: { type: 'tool_result' }, text: mail },
    { type: 'text', text: mail, [mail]: { __proto__: null, a: mail } },
  ];
  const { masking } = (await documentOf(transcriptOf({ request: messagesRequest(odd) }))).skilltape;
  const total = masking.findings.reduce((sum, { count }) => sum + count, 0);
  assert.equal(total, 5);
});

/** The token that stands for the address in the prompt. */
async function tokenOf(change: Parameters<typeof transcriptOf>[0], masking: Partial<MaskingDecision>): Promise<string> {
  const document = await documentOf(transcriptOf({ request: messagesRequest(mail), ...change }), masking);
  return document.gen_ai.input.text;
}

const inSession = (id: string) => ({ decided: decidedOf({ session: { id, source: 'container' } }) });
const bob = { ...ada, subject: 'u-bob' };

test('a token is the same within its scope and another outside of it', async () => {
  const cases = {
    first: inSession('s-1'),
    otherSession: inSession('s-2'),
    otherPerson: { ...inSession('s-3'), started: { identity: bob } },
    otherIssuer: { ...inSession('s-4'), started: { identity: { ...ada, issuer: 'https://other.example.org' } } },
    otherConnection: { ...inSession('s-5'), started: { connection: 'research' } },
  };
  const same: Record<MaskingDecision['scopes'][keyof MaskingDecision['scopes']] & string, (keyof typeof cases)[]> = {
    session: ['first'],
    identity: ['first', 'otherSession', 'otherConnection'],
    connection: ['first', 'otherSession', 'otherPerson', 'otherIssuer'],
    all: ['first', 'otherSession', 'otherPerson', 'otherIssuer', 'otherConnection'],
  };
  for (const [scope, expected] of Object.entries(same)) {
    const masking = { scopes: { EMAIL: scope as 'all' } };
    const own = await tokenOf(cases.first, masking);
    assert.match(own, /^\[EMAIL:[0-9a-f]{16}\]$/);
    const equal: string[] = [];
    for (const [name, change] of Object.entries(cases)) if ((await tokenOf(change, masking)) === own) equal.push(name);
    assert.deepEqual(equal.sort(), expected.toSorted(), scope);
  }
  assert.equal(await tokenOf(cases.first, {}), await tokenOf(cases.first, { scopes: { EMAIL: 'session' } }));
});

test('without an identity the scope of an identity is the session', async () => {
  const nobody = (id: string) => ({ ...inSession(id), started: { identity: null } });
  const masking = { scopes: { EMAIL: 'identity' as const } };
  assert.equal(await tokenOf(nobody('s-1'), masking), await tokenOf(nobody('s-1'), {}));
  assert.notEqual(await tokenOf(nobody('s-1'), masking), await tokenOf(nobody('s-2'), masking));
});

test('a plain type has no hash', async () => {
  assert.equal(await tokenOf(inSession('s-1'), { plain: ['EMAIL'] }), '[EMAIL]');
});
