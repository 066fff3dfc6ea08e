import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInDetection } from '../../../extproc/masking/own-detection.ts';
import type { RecordDecision } from '../../../extproc/policy/decision.ts';
import { type MaskingDecision, usualMasking } from '../../../extproc/policy/masking-decision.ts';
import { createPipeline } from '../../../extproc/ship/pipeline.ts';
import type { KeptTokens } from '../../../extproc/ship/token-keeper.ts';
import type { DocumentMasker } from '../../../extproc/transcript/masked-document.ts';
import type { Transcript } from '../../../extproc/transcript/transcript.ts';
import { revealableTypes } from '../../../extproc/transcript/treatment.ts';
import { decodingLimits } from '../../builders/decoding.ts';
import {
  ada,
  exchangeIdOf,
  keyedHash,
  masker,
  messageOf,
  messagesRequest,
  transcriptOf,
} from '../transcript/example.ts';
import { MapMemory } from './map-memory.ts';

const key = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`;
const text = `Mail grace@navy.example.org and GRACE@navy.example.org from 203.0.113.77 with ${key}, card 4111 1111 1111 1111`;

function transcript(id = 1, more: Parameters<typeof transcriptOf>[0] = {}): Transcript {
  return transcriptOf({ id: exchangeIdOf(id), request: messagesRequest(text), answer: messageOf('yes'), ...more });
}

/** What the keeper was given for these exchanges, and how many documents the index took. */
async function keptOf(
  transcripts: Transcript[],
  decision: Partial<RecordDecision> = {},
  with_: DocumentMasker = masker,
) {
  const kept: KeptTokens[] = [];
  let documents = 0;
  const pipeline = createPipeline({
    ...{ masker: with_, memory: new MapMemory(), keyedHash, decoding: decodingLimits },
    ...{ archive: null, detection: () => builtInDetection, names: null },
    spendOf: () => null,
    tokenKeeper: { keep: async (tokens) => void kept.push(...tokens) },
    policy: {
      record: () => ({ keep: 'full', retention_class: 'long', masking: usualMasking, reasons: [], ...decision }),
    },
    index: {
      async deliver(batch) {
        documents += batch.length;
        return batch.map(() => ({ kind: 'accepted' }));
      },
    },
    ...{ textMaxChars: 10_000, maskingBudgetMs: 60_000, reduced: new Set<string>() },
    ...{ onReading: () => {}, onMaskingFailed: () => {}, onFindings: () => {} },
  });
  await pipeline.deliver(transcripts, []);
  return { kept, documents };
}

const valuesOf = (kept: readonly KeptTokens[]) => kept.flatMap(({ values }) => [...values.values()]).sort();
const masking = (more: Partial<MaskingDecision>) => ({ masking: { ...usualMasking, ...more } });

test('what stands behind tokens is kept for the person, in the class that policy decided', async () => {
  const { kept, documents } = await keptOf([transcript()]);
  assert.equal(documents, 1);
  const [{ person, retentionClass, session, values } = assert.fail('nothing kept')] = kept;
  assert.deepEqual(person, { issuer: ada.issuer, subject: ada.subject });
  assert.equal(retentionClass, 'long');
  assert.notEqual(session, '');
  assert.deepEqual([...values.values()].sort(), ['203.0.113.77', 'grace@navy.example.org']);
  for (const token of values.keys()) assert.match(token, /^\[(EMAIL|IP):[0-9a-f]{16}\]$/);
});

test('policy says which types are kept: secrets only where it asks, and none that it wants plain', async () => {
  assert.deepEqual(valuesOf((await keptOf([transcript()], masking({ reveal: ['SECRET'] }))).kept), [
    '203.0.113.77',
    key,
    'grace@navy.example.org',
  ]);
  assert.deepEqual(valuesOf((await keptOf([transcript()], masking({ no_reveal: ['IP'] }))).kept), [
    'grace@navy.example.org',
  ]);
  assert.deepEqual(valuesOf((await keptOf([transcript()], masking({ plain: ['EMAIL'] }))).kept), ['203.0.113.77']);
  const all = { ...usualMasking, reveal: ['SECRET', 'PEM', 'CARD'] as never, no_reveal: [] };
  for (const type of ['SSN', 'PHONE', 'BIRTH_DATE', 'NATIONAL_ID'] as const)
    assert.ok(!revealableTypes(all, builtInDetection).has(type), type);
});

test('of what is kept as metadata only, was dropped or could not be masked, no value is kept', async () => {
  // The metadata themselves have tokens too.
  const named = transcript(1, { started: { headers: [['user-agent', 'tool of grace@army.example.org']] } });
  assert.ok(valuesOf((await keptOf([named])).kept).includes('grace@army.example.org'));
  assert.deepEqual(valuesOf((await keptOf([named], { keep: 'metadata' })).kept), []);
  assert.deepEqual(valuesOf((await keptOf([transcript()], masking({ drop: ['messages'] }))).kept), []);
  const failing: DocumentMasker = {
    json(value, options) {
      masker.json(value, options as never);
      throw new Error('a detector failed behind the first findings');
    },
  };
  const { kept, documents } = await keptOf([transcript()], {}, failing);
  assert.deepEqual([valuesOf(kept), documents], [[], 1]);
});

test('a value of thousands of characters is not kept, and an exchange without identity is of nobody', async () => {
  const { kept } = await keptOf([transcript(1, { started: { identity: null } })]);
  assert.equal(kept[0]?.person, null);
  const pem = (lines: number) =>
    `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n'.repeat(lines)}-----END PRIVATE KEY-----`;
  const request = messagesRequest(`one ${pem(20)} and two ${pem(100)}`);
  const { kept: pems } = await keptOf([transcript(2, { request })], masking({ reveal: ['PEM'] }));
  assert.deepEqual(valuesOf(pems), [pem(20)]);
});
