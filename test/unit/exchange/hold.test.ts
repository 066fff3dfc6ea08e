import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApprovalDecision, ApprovalRequest } from '../../../extproc/exchange/approval-desk.ts';
import type { Action } from '../../../extproc/exchange/frame.ts';
import type { Verdict } from '../../../extproc/exchange/ports.ts';
import { requestBody, requestHeaders } from './frames.ts';
import { allow, createRig, deny, type Rig, settle } from './rig.ts';

const hold: Verdict = { verdict: 'hold', reasons: [{ rule: 'request/risky', message: 'Risky.' }] };
const granted: ApprovalDecision = { kind: 'granted', ticket: 't-1', approvedBy: ['grace'] };

const secret = `sk-ant-api03-${'A1b2'.repeat(20)}`;

function body(text: string, mark = ''): string {
  const content = `[{"type":"text","text":${JSON.stringify(text)}${mark}}]`;
  return `{"model":"claude-opus-4-8","max_tokens":9,"messages":[{"role":"user","content":${content}}]}`;
}

function holding(limits: Parameters<typeof createRig>[0] = {}) {
  const rig = createRig(limits);
  rig.judge.requestVerdict = () => hold;
  return rig;
}

/** Sends a whole request; its last action comes when it was decided. */
async function send(rig: Rig, text: string, headers: Parameters<typeof requestHeaders>[0] = {}) {
  const exchange = rig.open();
  await exchange.accept(requestHeaders(headers));
  const action = exchange.accept(requestBody(text, true));
  await settle();
  return { exchange, action };
}

function reply(action: Action) {
  assert.ok(action.kind === 'local_reply', action.kind);
  return { ...action.reply, error: JSON.parse(action.reply.body).error };
}

test('people are asked when the held request and its verdict are on disk, and it is released when the approval is', async () => {
  const rig = holding();
  const gate = rig.log.stallSync();
  const { action } = await send(rig, body('hi'));
  assert.deepEqual(rig.log.events.slice(-2), ['append decided', 'sync']);
  gate.open();
  await settle();
  assert.deepEqual(rig.log.events.slice(-2), ['synced', 'asked']);
  rig.desk.decide(granted);
  const release = await action;
  assert.ok(release.kind === 'release');
  assert.equal(Buffer.concat(await Array.fromAsync(release.body)).toString(), body('hi'));
  assert.deepEqual(rig.log.events.slice(-3), ['append decided', 'sync', 'synced']);
  const [first, last] = rig.log.ofKind('decided').map(({ decided }) => decided);
  assert.deepEqual([first?.verdict, last?.verdict], ['hold', 'allow']);
  assert.deepEqual(last?.reasons, [
    { rule: 'request/risky', message: 'Risky.' },
    { rule: 'skilltape/approved', message: 'Approved by grace (ticket t-1).' },
  ]);
});

test('waiting for people is not cut short by the deadline of a step', async () => {
  const rig = holding({ decisionTimeoutMs: 5 });
  const { action } = await send(rig, body('hi'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  rig.desk.decide(granted);
  assert.equal((await action).kind, 'release');
});

test('a denial by a person is final for clients, with the reason', async () => {
  const rig = holding();
  const { action } = await send(rig, body('hi'));
  rig.desk.decide({ kind: 'denied', ticket: 't-1', reason: 'not with keys' });
  const { status, headers, error } = reply(await action);
  assert.equal(status, 403);
  assert.equal(headers['x-should-retry'], 'false');
  assert.match(error.message, /not with keys.*t-1/);
  assert.equal(error.details.error_code, 'dlp_request_denied');
  assert.equal(rig.log.finished[0]?.outcome, 'denied');
});

test('what nobody decides ends as expired, and says so', async () => {
  const rig = holding();
  const { action } = await send(rig, body('hi'));
  rig.desk.decide({ kind: 'expired', ticket: 't-1' });
  const { status, error } = reply(await action);
  assert.equal(status, 403);
  assert.match(error.message, /Nobody decided/);
  assert.equal(rig.log.finished[0]?.outcome, 'expired');
});

test('a client that waited as long as it may is told to come again, and when, so that it does', async () => {
  for (const [userAgent, seconds] of [
    ['claude-cli/2.1.330 (external, cli)', '50'],
    ['Anthropic/JS 1.12.0', '300'],
    ['curl/8', '50'],
  ] as const) {
    const rig = holding({ holdMaxMs: 1 });
    const { action } = await send(rig, body('hi'), { headers: [['user-agent', userAgent]] });
    const { status, headers, error } = reply(await action);
    assert.deepEqual([status, headers['retry-after'], headers['x-should-retry']], [429, seconds, undefined]);
    assert.match(error.message, /t-1/);
    assert.deepEqual(rig.desk.leavers.length, 1);
    assert.equal(rig.log.finished[0]?.outcome, 'held');
  }
});

test('a client that is told to come again because the process stops waits no longer: its approval is for its retry', async () => {
  const rig = holding();
  const { exchange, action } = await send(rig, body('hi'));
  rig.desk.decide(null);
  assert.equal(reply(await action).status, 429);
  assert.deepEqual(rig.desk.leavers, [exchange.id]);
  assert.equal(rig.log.finished[0]?.outcome, 'held');
});

test('a client that leaves waits no longer, its exchange says so, and its ticket stays', async () => {
  const rig = holding();
  const { exchange, action } = await send(rig, body('hi'));
  exchange.left();
  assert.equal((await action).kind, 'wait');
  await exchange.abandon('stream_ended', '');
  assert.deepEqual(rig.desk.leavers, [exchange.id]);
  assert.equal(rig.log.finished[0]?.outcome, 'client_aborted');
});

test('when nobody can be asked, or too many are, nothing is released', async () => {
  const rig = holding();
  rig.desk.onAsk = () => Promise.reject(new Error('disk full'));
  const { action } = await send(rig, body('hi'));
  assert.equal(reply(await action).status, 429);
  assert.deepEqual(
    rig.faults.map(({ message }) => message),
    ['disk full'],
  );
  rig.desk.onAsk = async () => ({ kind: 'full', limit: 'ticketsMax' });
  const second = await send(rig, body('hi'));
  assert.equal(reply(await second.action).status, 429);
  assert.deepEqual(
    rig.log.finished.map(({ outcome }) => outcome),
    ['refused', 'refused'],
  );
});

test('a hold of access waits for the body, and a denial of the request wins over it', async () => {
  const rig = createRig();
  rig.judge.accessVerdict = () => hold;
  const held = await send(rig, body('hi'));
  assert.equal(rig.desk.asked.length, 1);
  rig.desk.decide(granted);
  assert.equal((await held.action).kind, 'release');
  rig.judge.requestVerdict = () => deny;
  const { action } = await send(rig, body('hi'));
  assert.equal(reply(await action).status, 403);
  rig.judge.requestVerdict = () => allow;
});

/** What is asked when this is sent. */
async function asked(text: string, headers: Parameters<typeof requestHeaders>[0] = {}): Promise<ApprovalRequest> {
  const rig = holding({ holdMaxMs: 1, requestBodyMaxBytes: 1_000_000, heldBodyMaxBytes: 2_000_000 });
  const { action } = await send(rig, text, headers);
  await action;
  const [request] = rig.desk.asked;
  assert.ok(request !== undefined);
  return request;
}

test('the same request has one binding wherever its client puts the marks for caching', async () => {
  const mark = ',"cache_control":{"type":"ephemeral"}';
  assert.equal((await asked(body('hi', mark))).binding, (await asked(body('hi'))).binding);
});

test('any byte of content, and any header that means something, makes another binding', async () => {
  const { binding } = await asked(body('hi'));
  const others = [
    await asked(body('hi ')),
    await asked(body('hi').replace('"max_tokens":9', '"max_tokens":9.0')),
    await asked(body('hi').replace('{', '{ ')),
    await asked(body('hi'), { path: '/v1/messages?beta=true' }),
    await asked(body('hi'), { headers: [['anthropic-beta', 'skills-2025-10-02']] }),
    await asked(body('hi'), { headers: [['anthropic-version', '2024-01-01']] }),
    await asked(body('hi'), {
      headers: ['skills-2025-10-02', 'other-2026-01-01'].map((beta) => ['anthropic-beta', beta]),
    }),
    await asked(body('hi'), { headers: [['anthropic-beta', `${'x'.repeat(200)}`]] }),
    await asked(body('hi'), { headers: [['anthropic-workspace-id', 'wrkspc_other']] }),
    await asked(body('hi'), { headers: [['anthropic-user-profile-id', 'uprof_other']] }),
  ];
  for (const [at, other] of others.entries()) assert.notEqual(other.binding, binding, `${at}`);
  assert.equal(new Set(others.map((other) => other.binding)).size, others.length);
});

test('whoever decides is shown the prompt without its secrets, and told what they are not shown', async () => {
  const request = await asked(
    body(`${'x'.repeat(10_000)} deploy with ${secret}`).replace('"max_tokens":9', '"max_tokens":8'),
  );
  const { excerpt, leftOut, models, person } = request.summary;
  assert.doesNotMatch(JSON.stringify(request), new RegExp(secret));
  assert.match(excerpt, /deploy with \[SECRET\]$/);
  assert.ok(leftOut.chars > 5_000);
  assert.deepEqual(models, ['claude-opus-4-8']);
  assert.equal(person?.subject, 'alice');
});

test('whoever decides is not shown a field of another endpoint in place of the prompt', async () => {
  const harmless = '[{"role":"user","content":"harmless"}]';
  for (const more of [`"requests":[{"params":{"messages":${harmless}}}]`, '"prompt":"harmless"']) {
    const { summary } = await asked(body('delete it all').replace('{', `{${more},`));
    assert.match(summary.excerpt, /delete it all/, more);
  }
});

test('a caller who leaves while its approval is on the way has it given back, and is released by nothing', async () => {
  const rig = holding();
  const asked = Promise.withResolvers<ApprovalDecision>();
  rig.desk.onAsk = () => asked.promise;
  const { exchange, action } = await send(rig, body('hi'));
  await exchange.abandon('stream_ended', '');
  asked.resolve(granted);
  await settle();
  assert.notEqual((await action).kind, 'release');
  assert.equal(rig.desk.leavers.length, 1);
});
