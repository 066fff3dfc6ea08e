import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { accessDocument } from '../../extproc/console/api/access-document.ts';
import { startChromium, withoutChromium } from '../environment/chromium.ts';
import { skilltape } from '../environment/command.ts';
import { type ConsoleGateway, letDecide, logIn, openBrowser, startConsoleGateway } from '../environment/console.ts';
import { waitUntil } from '../environment/wait.ts';

let gateway: ConsoleGateway;
before(async () => {
  gateway = await startConsoleGateway({}, (directory) => {
    const list = (name: string, rules: readonly object[]) =>
      writeFileSync(join(directory, `policies/lists/${name}/data.json`), JSON.stringify({ rules }));
    // Alice is of the group research, Grace and Sam of security.
    list('allowed_connections', [{ when: { groups: ['research'] }, connections: ['sandbox'] }]);
    const terms = { quorum: 1, open_minutes: 60, grant_minutes: 120 };
    list('access_requests', [{ groups: ['research', 'security'], connections: ['claude'], ...terms }]);
    letDecide(directory, [{ actions: ['grant'], token_groups: ['security'] }]);
  });
});
after(() => gateway?.stop());

const question = JSON.stringify({
  ...{ model: 'claude-opus-5-5', max_tokens: 64 },
  messages: [{ role: 'user', content: 'What is a tape?' }],
});

async function send(subject = 'alice') {
  return gateway.post(question, { authorization: `Bearer ${await gateway.token(subject)}` });
}

const becomes = (status: number) =>
  waitUntil(`her next request gets ${status}`, async () => (await send()).status === status);

/** Access requests by the API, with a token of somebody's own program. */
async function call(subject: string, method: 'GET' | 'POST', path: string, body?: object) {
  const token = await gateway.identityProvider.token(subject, { audience: 'skilltape-console' });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const response = (await gateway.fetch(`${gateway.origin}/api/v1/access-requests${path}`, init as never)) as Response;
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

test('by the API a denied person asks, another gives it, her next request passes, and it is taken back at once', async () => {
  assert.equal((await send()).status, 403);
  const wanted = { connection: 'claude', minutes: 60, reason: 'the release is on Friday' };
  const asked = await call('alice', 'POST', '', wanted);
  assert.equal(asked.status, 200, JSON.stringify(asked.json));
  const { id } = accessDocument.parse(asked.json);
  const approve = { decision: 'approve', reason: 'agreed with the owner' };
  assert.equal((await call('alice', 'POST', `/${id}/decisions`, approve)).status, 403);
  assert.equal((await call('bob', 'GET', `/${id}`)).status, 404, 'he may give nothing');
  assert.equal((await send()).status, 403, 'asking alone opens nothing');
  const given = await call('grace', 'POST', `/${id}/decisions`, approve);
  assert.deepEqual([given.status, given.json.state], [200, 'in_force'], JSON.stringify(given.json));
  await becomes(200);
  const { exchangeId } = await send();
  const { verdict } = (await gateway.document(exchangeId)).skilltape;
  assert.deepEqual([verdict.lifted, verdict.lifted_grants, verdict.lifted_by], ['access', [id], ['grace@example.com']]);
  const listed = await skilltape(['access', '--config', gateway.configFile], {});
  assert.match(listed.stdout, new RegExp(`${id}  access  in force until .*  by grace@example.com`));
  const back = await call('sam', 'POST', `/${id}/decisions`, { decision: 'revoke', reason: 'the release is out' });
  assert.equal(back.status, 200, JSON.stringify(back.json));
  await becomes(403);
});

test('nobody gives themselves what they asked for, whoever may give it to others', async () => {
  const asked = await call('grace', 'POST', '', { connection: 'claude', minutes: 60, reason: 'to see it for myself' });
  const { id } = accessDocument.parse(asked.json);
  const self = await call('grace', 'POST', `/${id}/decisions`, {
    decision: 'approve',
    reason: 'I may give it, so I do',
  });
  assert.equal(self.status, 403);
  assert.match(JSON.stringify(self.json), /console\/own_request/);
  assert.equal((await send('grace')).status, 403);
});

const skip = withoutChromium() ?? false;

test('in the console the same: asked on a page, given and taken back in the inbox', { skip }, async (context) => {
  const browser: Browser = await startChromium();
  context.after(() => browser.close());
  const alice = await openBrowser(browser);
  await logIn(alice.page, gateway, 'Alice', '/access');
  await alice.page.getByLabel('Connection').selectOption('claude');
  await alice.page.getByLabel('For how many minutes').fill('90');
  await alice.page.getByRole('textbox', { name: 'Reason' }).fill('the release is on Friday');
  const grace = await openBrowser(browser);
  await logIn(grace.page, gateway, 'Grace');
  await alice.page.getByRole('button', { name: 'Ask for access' }).click();
  await alice.page.getByRole('status').getByText('Recorded. Waits for a decision.').waitFor();
  const decide = async (what: string, reason: string) => {
    const form = grace.page.getByRole('region', { name: what, exact: true });
    await form.getByRole('textbox', { name: 'Reason' }).fill(reason);
    await form.getByRole('button').click();
    await grace.page.getByRole('status').getByText('Recorded.').waitFor();
  };
  // It comes into her inbox by itself.
  await grace.page.getByRole('link', { name: 'alice@example.com asks for the connection claude' }).click();
  await decide('Approve', 'agreed with the owner');
  await becomes(200);
  await alice.page.getByText('given by grace@example.com').waitFor();
  await decide('Take it back', 'the release is out');
  await becomes(403);
  await alice.page.getByText('Taken back by grace@example.com.', { exact: true }).first().waitFor();
  assert.deepEqual([...alice.faults, ...grace.faults], []);
});
