import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { breakGlass, type Doer, decideGrant, type GrantDeskParts } from '../../extproc/grants/desk.ts';
import type { GrantEvent } from '../../extproc/grants/grant.ts';
import { Grants } from '../../extproc/grants/grants.ts';
import { grantsFile } from '../../extproc/grants/places.ts';
import { LoginStore } from '../../extproc/login/store.ts';
import { compilePolicies } from '../../extproc/policy/compile.ts';
import { createPolicyEngine } from '../../extproc/policy/engine.ts';
import { resolveTool } from '../../extproc/tools/resolve.ts';
import { skilltape } from '../environment/command.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { operationsOf } from '../environment/operations-call.ts';
import { waitUntil } from '../environment/wait.ts';

const shipped = fileURLToPath(new URL('../../policies', import.meta.url));
const minute = 60_000;
const issuer = 'https://idp.example';
/** In force everywhere after so long, with what a busy machine adds. */
const knownAfterMs = 1_000;

let gateway: TestGateway;
let grants: Grants;
before(async () => {
  gateway = await startTestGateway({
    workers: 2,
    settings: { policies: { directory: 'policies' } },
    prepare(directory) {
      cpSync(shipped, join(directory, 'policies'), { recursive: true });
      // Alice is of the group research, Bob of support.
      list(directory, 'allowed_connections', {
        rules: [
          { when: { groups: ['support'] }, connections: ['*'] },
          { when: { groups: ['research'] }, connections: ['sandbox'] },
        ],
      });
      const terms = { quorum: 1, open_minutes: 60, grant_minutes: 120 };
      list(directory, 'access_requests', { rules: [{ groups: ['research'], connections: ['claude'], ...terms }] });
      letDecide(directory, [{ uids: [process.getuid?.() ?? -1], person: { issuer, subject: 'operator' } }]);
    },
  });
  grants = new Grants(grantsFile(gateway.dataDirectory));
});
after(async () => {
  grants.close();
  await gateway.stop();
});

function list(directory: string, name: string, document: unknown): void {
  writeFileSync(join(directory, `policies/lists/${name}/data.json`), JSON.stringify(document));
}

function letDecide(directory: string, who: readonly object[]): void {
  const file = join(directory, 'policies/lists/console/data.json');
  const { limits } = JSON.parse(readFileSync(file, 'utf8'));
  const operators = who.map((entry) => ({ actions: ['grant', 'break_glass'], ...entry }));
  writeFileSync(file, JSON.stringify({ operators, limits }));
}

const question = JSON.stringify({
  ...{ model: 'claude-opus-5-5', max_tokens: 64 },
  messages: [{ role: 'user', content: 'What is a tape?' }],
});

type ErrorBody = { error?: { message: string } };

/** Each on a connection of its own, so that both workers get some. */
async function send(subject = 'alice') {
  const authorization = `Bearer ${await gateway.token(subject)}`;
  const { status, body, exchangeId, headers } = await gateway.post(question, { authorization, connection: 'close' });
  const json = JSON.parse(body.toString()) as ErrorBody;
  return { status, exchangeId, headers, message: json.error?.message ?? '' };
}

async function statusesOf(count: number, subject = 'alice'): Promise<number[]> {
  return [
    ...new Set((await Promise.all(Array.from({ length: count }, () => send(subject)))).map(({ status }) => status)),
  ];
}

const cli = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  skilltape([...args, '--config', gateway.configFile], env);

/** The state folder of somebody who is logged in. */
async function loggedIn(subject: string): Promise<NodeJS.ProcessEnv> {
  const state = join(gateway.directory, `state-${subject}`);
  const settings = { issuer, clientId: 'cli', scope: 'openid', resource: null, audience: null, caFile: null };
  new LoginStore(join(state, 'skilltape')).write({
    ...{ version: 1, settings: { ...settings, kind: 'access_token' }, token: await gateway.token(subject) },
    ...{ refreshToken: null, obtainedAtMs: Date.now(), expiresAtMs: Date.now() + 60 * minute, subject },
  });
  return { XDG_STATE_HOME: state };
}

const toKnow = () => new Promise((resolve) => setTimeout(resolve, knownAfterMs));

test('a denied person asks, another gives, and they are let in on every worker until it is taken back', async () => {
  const denied = await send();
  assert.equal(denied.status, 403);
  assert.equal(denied.headers.get('x-should-retry'), 'false');
  assert.match(denied.message, /skilltape request-access --connection "claude" --for 2h --reason/);
  const asked = await cli(
    ['request-access', '--connection', 'claude', '--for', '2h', '--reason', 'the release is on Friday', '--json'],
    await loggedIn('alice'),
  );
  assert.deepEqual([asked.status, asked.stderr], [0, '']);
  const { id, state } = JSON.parse(asked.stdout) as { id: string; state: { kind: string } };
  assert.equal(state.kind, 'pending');
  assert.equal((await send()).status, 403, 'asking alone opens nothing');
  const given = await cli(['approve', id, '--reason', 'agreed with the owner']);
  assert.deepEqual([given.status, given.stderr], [0, '']);
  await toKnow();
  assert.deepEqual(await statusesOf(12), [200]);
  const listed = await cli(['access']);
  assert.match(
    listed.stdout,
    new RegExp(`${id}  access  in force until .*  alice@example.com  connection claude  by `),
  );

  const let_in = await send();
  const { skilltape: record } = await gateway.document(let_in.exchangeId);
  assert.equal(record.verdict.decision, 'allow');
  assert.equal(record.verdict.lifted, 'access');
  assert.deepEqual(record.verdict.lifted_grants, [id]);
  assert.deepEqual(record.verdict.lifted_why, ['the release is on Friday']);
  assert.equal(record.verdict.lifted_reasons[0]?.rule, 'access/connection_allowed');
  const found = await cli(['search', '--lifted', 'access', '--json']);
  assert.ok(found.stdout.includes(let_in.exchangeId));

  const taken = await cli(['revoke', id, '--reason', 'the release is out']);
  assert.equal(taken.status, 0);
  await toKnow();
  assert.deepEqual(await statusesOf(12), [403]);
});

test('an exchange that began before the grant was taken back goes on to its end', async () => {
  const id = given('claude', 60 * minute);
  await toKnow();
  const authorization = `Bearer ${await gateway.token('alice')}`;
  const slow = JSON.stringify({
    ...{ model: 'claude-opus-5-5', max_tokens: 64, stream: true },
    messages: [{ role: 'user', content: '[fake: slow 300] A tape, slowly.' }],
  });
  const response = (await gateway.fetch(`${gateway.url}/v1/messages`, {
    ...{ method: 'POST', body: slow },
    headers: { authorization, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
  } as never)) as Response;
  assert.equal(response.status, 200);
  const exchangeId = response.headers.get('x-skilltape-exchange');
  revoke(id);
  await toKnow();
  assert.match(await response.text(), /message_stop/);
  assert.equal((await send()).status, 403);
  assert.equal((await gateway.document(exchangeId)).skilltape.outcome, 'complete');
});

test('access and break-glass end by themselves', async () => {
  for (const kind of ['access', 'break_glass'] as const) {
    const id = given('claude', 3_000, kind);
    await toKnow();
    assert.equal((await send()).status, 200, kind);
    await waitUntil('it has ended', async () => (await send()).status === 403);
    await waitUntil('it is written down', () => grants.read(id, Date.now())?.events.at(-1)?.kind === 'expired');
  }
});

test('nobody asks for what is not offered, for others, or by a token that is not good', async () => {
  const alice = await loggedIn('alice');
  const ask = (args: string[], env: NodeJS.ProcessEnv) =>
    cli(['request-access', ...args, '--for', '2h', '--reason', 'I need it for my work'], env);
  const other = await ask(['--connection', 'sandbox'], alice);
  assert.deepEqual([other.status, /does not let you ask/.test(other.stderr)], [3, true]);
  const bob = await ask(['--connection', 'claude'], await loggedIn('bob'));
  assert.deepEqual([bob.status, /does not let you ask/.test(bob.stderr)], [3, true]);
  const forged = join(gateway.directory, 'forged');
  writeFileSync(forged, `${(await gateway.token('alice')).split('.').slice(0, 2).join('.')}.AAAA`);
  const bad = await ask(['--connection', 'claude', '--token-file', forged], alice);
  assert.deepEqual([bad.status, /your token was refused/.test(bad.stderr)], [2, true]);
  const nobody = await ask(['--connection', 'claude'], { XDG_STATE_HOME: join(gateway.directory, 'state-none') });
  assert.deepEqual([nobody.status, /not logged in/.test(nobody.stderr)], [2, true]);
});

test('break-glass takes two people, is loud, is in each record, and ends at once when one of them says so', async () => {
  const desk = await deskOf();
  const nowMs = Date.now();
  const begun = await cli([
    'break-glass',
    '--connection',
    'claude',
    '--for',
    '30m',
    '--reason',
    'incident 42: list is wrong',
    '--json',
  ]);
  assert.deepEqual([begun.status, begun.stderr], [0, '']);
  const { id } = JSON.parse(begun.stdout) as { id: string };
  await toKnow();
  assert.equal((await send()).status, 403, 'one person alone lifts nothing');
  const self = await cli(['approve', id, '--reason', 'incident 42, I say so']);
  assert.equal(self.status, 3);
  assert.match(self.stderr, /request of your own|Somebody else has to decide/);
  letDecide(gateway.directory, [
    { uids: [process.getuid?.() ?? -1], person: { issuer, subject: 'operator' } },
    { users: ['grace'], person: { issuer, subject: 'grace' } },
  ]);
  const second = decideGrant(
    await deskOf(),
    { id, kind: 'approve', doer: grace, reason: 'incident 42, by phone' },
    nowMs,
  );
  assert.equal(second.kind, 'recorded');
  await toKnow();
  assert.deepEqual(await statusesOf(12), [200]);
  assert.equal((await send('mallory')).status, 403, 'who stands on the deny list stays out');

  const { exchangeId } = await send();
  const { verdict } = (await gateway.document(exchangeId)).skilltape;
  assert.equal(verdict.lifted, 'break_glass');
  assert.deepEqual(verdict.lifted_why, ['incident 42: list is wrong']);
  assert.ok(verdict.lifted_by.includes('grace') && verdict.lifted_by.length === 2);
  const { body: figures } = await operationsOf(gateway).ask('/metrics');
  const { body: readiness, status: ready } = await operationsOf(gateway).ask('/readyz');
  assert.equal(ready, 200);
  assert.match(readiness, /break-glass is in force/);
  assert.match(figures, /skilltape_break_glass_in_force\{worker="1"\} 1/);
  assert.match(figures, /skilltape_lifted_exchanges_total\{[^}]*break_glass[^}]*\} [1-9]/);
  const log = readFileSync(join(gateway.directory, 'processor.log'), 'utf8');
  assert.ok(log.includes('break-glass is in force'));

  assert.equal((await cli(['revoke', id, '--reason', 'the list is mended'])).status, 0);
  await toKnow();
  assert.deepEqual(await statusesOf(12), [403]);
  const whole = grants.read(id, Date.now())?.events.map(({ kind }: GrantEvent) => kind);
  assert.deepEqual(whole, ['asked', 'approved', 'granted', 'revoked']);
  const found = await cli(['search', '--lifted', 'break_glass', '--json']);
  assert.ok(found.stdout.includes(exchangeId));
  const tooLong = breakGlass(
    desk,
    { doer: grace, holder: null, connection: 'claude', forMs: 61 * minute, reason: 'incident 43, longer' },
    nowMs,
  );
  assert.equal(tooLong.kind, 'not_allowed');
});

const grace: Doer = { operator: { kind: 'os', name: 'grace', uid: 77, groups: [] }, person: null };

/** As another account of the machine has it. */
async function deskOf(): Promise<GrantDeskParts> {
  const opaBinary = (await resolveTool('opa', { env: process.env })).path;
  const directory = join(gateway.directory, 'policies');
  return {
    grants,
    policy: await createPolicyEngine(await compilePolicies({ opaBinary, directory })),
    limits: { accessMaxMs: 24 * 60 * minute, breakGlassMaxMs: 60 * minute },
    connections: ['claude', 'sandbox'],
  };
}

/** Access for Alice, as if she had asked and somebody had agreed. */
function given(connection: string, forMs: number, kind: 'access' | 'break_glass' = 'access'): string {
  const nowMs = Date.now();
  const holder = { issuer: gateway.identityProvider.issuer, subject: 'alice', name: '', email: '' };
  const by = { name: 'alice', uid: null, person: holder };
  const wanted = { kind, holder, connection, skill: null, model: null, forMs };
  const terms = { quorum: 1, openMs: minute, grantMaxMs: 60 * minute, approvers: [] };
  const asked = grants.ask({ wanted, terms, by, reason: 'a test' }, nowMs);
  assert.ok(asked.kind === 'recorded');
  const giver = { name: 'grace', uid: 77, person: { issuer, subject: 'grace' } };
  const decided = grants.decide(asked.grant.id, { kind: 'approve', by: giver, reason: 'a test' }, nowMs);
  assert.equal(decided.kind, 'recorded');
  return asked.grant.id;
}

function revoke(id: string): void {
  const by = { name: 'grace', uid: 77, person: { issuer, subject: 'grace' } };
  assert.equal(grants.decide(id, { kind: 'revoke', by, reason: 'a test' }, Date.now()).kind, 'recorded');
}
