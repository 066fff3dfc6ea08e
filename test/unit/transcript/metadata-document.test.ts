import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataDocument } from '../../../extproc/transcript/metadata-document.ts';
import { exchangeIdOf, messageOf, messagesRequest, transcriptOf } from './example.ts';

test('the metadata of an exchange says who, when and how it ended, and that it could not be masked', () => {
  const document = metadataDocument(
    transcriptOf({ finished: { outcome: 'upstream_error', status: 500 } }),
    'long',
    'why',
  );
  assert.deepEqual([document.event.id, document.event.outcome], [exchangeIdOf(1), 'failure']);
  assert.equal(document.user?.email, 'ada@example.org');
  assert.equal(document.http.response.status_code, 500);
  assert.equal(document.http.request.method, 'POST');
  const { keep, masking, verdict, session, outcome, retention_class: retentionClass } = document.skilltape;
  assert.deepEqual([keep, masking.status, masking.reason, verdict.decision], ['metadata', 'failed', 'why', 'allow']);
  assert.deepEqual([session.id, outcome, retentionClass], ['s-1', 'upstream_error', 'long']);
});

test('nothing that a caller, an upstream or a policy wrote is in it', () => {
  const said = 'SAID';
  const document = metadataDocument(
    transcriptOf({
      request: messagesRequest(said, { model: said, system: said }),
      answer: messageOf(said, { id: said, model: said, stop_reason: said }),
      started: { method: said, path: `/${said}`, envoyRequestId: said, headers: [['user-agent', said]] },
      decided: { reasons: [{ rule: said, message: said }], input: { said } },
      finished: { detail: said, localReply: said },
    }),
    'standard',
    'why',
  );
  assert.ok(!JSON.stringify(document).includes(said));
});

test('bodies of any bytes cannot make it fail', () => {
  const broken = Buffer.from([0xff, 0x00, 0x7b]);
  const transcript = transcriptOf({
    requestBody: broken,
    answerBody: broken,
    decided: null,
    started: { identity: null },
  });
  const document = metadataDocument(transcript, 'standard', 'why');
  assert.deepEqual([document.user, document.http.request.body.bytes], [null, 3]);
  assert.equal(document.gen_ai.conversation.id, exchangeIdOf(1));
});
