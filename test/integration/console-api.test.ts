import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ticketDocument } from '../../extproc/console/api/ticket-document.ts';
import { skilltape } from '../environment/command.ts';
import { type ConsoleGateway, holdRequest, letDecide, startConsoleGateway, ticketsOf } from '../environment/console.ts';
import { waitUntil } from '../environment/wait.ts';

let gateway: ConsoleGateway;
before(async () => {
  gateway = await startConsoleGateway();
});
after(() => gateway.stop());

type Answer = { status: number; type: string; json: Record<string, unknown> };

async function call(token: string, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const response = (await gateway.fetch(`${gateway.origin}/api/v1${path}`, init as never)) as unknown as Response;
  const json = (await response.json()) as Record<string, unknown>;
  return { status: response.status, type: String(response.headers.get('content-type')), json };
}

/** A token for the API, as somebody's own program would get one. */
const tokenOf = (subject: string) => gateway.identityProvider.token(subject, { audience: 'skilltape-console' });

const approve = { decision: 'approve', reason: 'checked with the owner' };
const deny = { decision: 'deny', reason: 'not with this customer' };

test('a request that is approved by the API goes to Claude, and its record says by whom', async () => {
  const { ticket, answer } = await holdRequest(gateway, 'by the API');
  const approved = await call(await tokenOf('grace'), 'POST', `/approvals/${ticket}/decisions`, approve);
  assert.deepEqual([approved.status, ticketDocument.parse(approved.json).state], [200, 'granted']);
  const { status, exchangeId } = await answer;
  assert.equal(status, 200);
  const document = await gateway.document(exchangeId);
  assert.match(JSON.stringify(document.skilltape), /Approved by grace \(ticket t-/);
});

test('of many who decide at once, by the API and at the command line, one is recorded', async () => {
  letDecide(gateway.directory, [
    { actions: ['decide'], token_groups: ['security'] },
    {
      actions: ['decide'],
      uids: [process.getuid?.() ?? -1],
      person: { issuer: 'https://idp.example', subject: 'operator' },
    },
  ]);
  const { ticket, answer } = await holdRequest(gateway, 'raced for');
  const path = `/approvals/${ticket}/decisions`;
  const [grace, sam] = [await tokenOf('grace'), await tokenOf('sam')];
  const command = skilltape(['deny', ticket, '--reason', 'not with this customer', '--config', gateway.configFile]);
  const decisions = [approve, deny, approve, deny].map((body, at) =>
    call(at % 2 === 0 ? grace : sam, 'POST', path, body),
  );
  const statuses = (await Promise.all(decisions)).map(({ status }) => status);
  const { status: exit } = await command;
  const recorded = statuses.filter((status) => status === 200).length + (exit === 0 ? 1 : 0);
  assert.equal(recorded, 1, JSON.stringify([statuses, exit]));
  assert.ok(statuses.every((status) => status === 200 || status === 409));
  const events = ticketsOf(gateway, 'raced for')[0]?.events ?? [];
  assert.equal(events.filter(({ kind }) => kind === 'approved' || kind === 'denied').length, 1);
  const isApproved = events.some(({ kind }) => kind === 'approved');
  assert.equal((await answer).status, isApproved ? 200 : 403);
});

test('a token for requests decides nothing, and neither does none', async () => {
  const { ticket } = await holdRequest(gateway, 'no token for it');
  const path = `/approvals/${ticket}/decisions`;
  for (const token of [
    await gateway.token('grace'),
    'x',
    await gateway.identityProvider.forge({ kind: 'wrong_key', subject: 'grace' }),
  ]) {
    const refused = await call(token, 'POST', path, approve);
    assert.equal(refused.status, 401);
    assert.match(refused.type, /^application\/problem\+json/);
  }
  assert.equal(ticketsOf(gateway, 'no token for it')[0]?.state.kind, 'pending');
});

test('whoever is taken off the list is off it, and while the policies have a fault nobody is on it', async () => {
  const { ticket } = await holdRequest(gateway, 'edited under');
  const grace = await tokenOf('grace');
  const status = async () => (await call(grace, 'GET', `/approvals/${ticket}`)).status;
  assert.equal(await status(), 200);
  letDecide(gateway.directory, [{ actions: ['decide'], token_groups: ['others'] }]);
  await waitUntil('she is off the list', async () => (await status()) === 404);
  const rule = join(gateway.directory, 'policies/rules/console/own_request/own_request.rego');
  const whole = readFileSync(rule, 'utf8');
  writeFileSync(rule, `${whole}\nthis is no rego`);
  await waitUntil('the fault is seen', async () => (await status()) === 503);
  const faulty = await call(grace, 'POST', `/approvals/${ticket}/decisions`, approve);
  assert.equal(faulty.status, 503);
  assert.match(String(faulty.json.detail), /policies of this gateway have a fault/);
  writeFileSync(rule, whole);
  letDecide(gateway.directory, [{ actions: ['decide'], token_groups: ['security'], issuer: 'https://other.example' }]);
  await waitUntil('the group of nobody who can come is seen', async () => (await status()) === 503);
  letDecide(gateway.directory, [{ actions: ['decide'], token_groups: ['security'] }]);
  await waitUntil('she is on it again', async () => (await status()) === 200);
  assert.equal(ticketsOf(gateway, 'edited under')[0]?.state.kind, 'pending');
});

test('where two have to approve, whoever did so at the command line is no second one by the API, nor the other way round', async () => {
  const person = { issuer: gateway.identityProvider.issuer, subject: 'grace' };
  letDecide(gateway.directory, [
    { actions: ['decide'], token_groups: ['security'] },
    { actions: ['decide'], uids: [process.getuid?.() ?? -1], person },
  ]);
  const list = join(gateway.directory, 'policies/lists/approval/data.json');
  const before = readFileSync(list, 'utf8');
  writeFileSync(list, JSON.stringify({ ...JSON.parse(before), quorum: 2 }));
  let marker = 0;
  await waitUntil('two have to approve', async () => {
    marker += 1;
    await holdRequest(gateway, `looking-${marker}-`);
    return ticketsOf(gateway, `looking-${marker}-`)[0]?.terms.quorum === 2;
  });
  const [grace, sam] = [await tokenOf('grace'), await tokenOf('sam')];
  const byCommand = (ticket: string) =>
    skilltape(['approve', ticket, '--reason', 'checked with the owner', '--config', gateway.configFile]);
  const byApi = async (token: string, ticket: string) => {
    const { status, json } = await call(token, 'POST', `/approvals/${ticket}/decisions`, approve);
    return [status, json.state ?? json.type];
  };
  const first = await holdRequest(gateway, 'two of them');
  assert.equal((await byCommand(first.ticket)).status, 0);
  assert.deepEqual(await byApi(grace, first.ticket), [409, 'urn:skilltape:problem:decided_already']);
  assert.deepEqual(await byApi(sam, first.ticket), [200, 'granted']);
  assert.equal((await first.answer).status, 200);
  const second = await holdRequest(gateway, 'two others');
  assert.deepEqual(await byApi(grace, second.ticket), [200, 'pending']);
  const again = await byCommand(second.ticket);
  assert.deepEqual([again.status, /You have approved t-.* already/.test(again.stderr)], [3, true], again.stderr);
  assert.equal(ticketsOf(gateway, 'two others')[0]?.state.kind, 'pending');
  writeFileSync(list, before);
});
