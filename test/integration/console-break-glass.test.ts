import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { messagesBody } from '../builders/messages-body.ts';
import { startChromium, withoutChromium } from '../environment/chromium.ts';
import {
  assertAccessible,
  type ConsoleGateway,
  letDecide,
  logIn,
  openBrowser,
  startConsoleGateway,
} from '../environment/console.ts';
import { waitUntil } from '../environment/wait.ts';

const skip = withoutChromium() ?? false;

let gateway: ConsoleGateway;
let browser: Browser;
before(async () => {
  if (skip !== false) return;
  gateway = await startConsoleGateway({}, (directory) => {
    letDecide(directory, [{ actions: ['break_glass'], token_groups: ['security'] }]);
    const rules = [{ connections: ['claude'] }];
    writeFileSync(join(directory, 'policies/lists/allowed_connections/data.json'), JSON.stringify({ rules }));
  });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** By a connection that policy allows nobody. */
async function status(): Promise<number> {
  const headers = { authorization: `Bearer ${await gateway.token('alice')}` };
  return (await gateway.post(messagesBody('let me through'), headers, '/sandbox/v1/messages')).status;
}

async function give(page: Page, button: string, reason: string): Promise<void> {
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: button, exact: true }) });
  await form.getByRole('textbox', { name: 'Reason' }).fill(reason);
  await form.getByRole('button', { name: button, exact: true }).click();
}

test('glass is broken by two people in their browsers: lifted when the second approved, and over when it is taken back', {
  skip,
}, async () => {
  assert.equal(await status(), 403);
  const [grace, sam] = await Promise.all([openBrowser(browser), openBrowser(browser)]);
  await logIn(grace.page, gateway, 'Grace', '/incident');
  await assertAccessible(grace.page);
  await grace.page.getByLabel('Connection').selectOption('sandbox');
  await give(grace.page, 'Ask somebody to approve it', 'incident 42: the list is wrong');
  await grace.page
    .getByRole('heading', { name: 'Break-glass for everybody with a valid token on the connection sandbox' })
    .waitFor();
  await grace.page.getByText('You cannot decide about this:').waitFor();
  await assertAccessible(grace.page);
  assert.equal(await status(), 403, 'one person lifts nothing');

  await logIn(sam.page, gateway, 'Sam', '/incident');
  await sam.page.getByRole('link', { name: /^Break-glass for everybody/ }).click();
  await sam.page.getByRole('heading', { name: 'Approve' }).waitFor();
  await assertAccessible(sam.page);
  await give(sam.page, 'Approve', 'agreed by phone');
  await sam.page.getByRole('status').getByText('Recorded. In force until').waitFor();
  await waitUntil('it is lifted', async () => (await status()) === 200);
  // The page of whoever began it hears of it by itself.
  await grace.page.getByText('In force until').first().waitFor();

  await grace.page.reload();
  await give(grace.page, 'Take it back', 'the list is mended');
  await grace.page.getByRole('status').getByText('Recorded. Taken back by').waitFor();
  await waitUntil('it is over', async () => (await status()) === 403);
  assert.deepEqual([...grace.faults, ...sam.faults], []);
});

test('whoever may not break glass has no form for it, and sees none that there is', { skip }, async () => {
  const { page } = await openBrowser(browser);
  await logIn(page, gateway, 'Alice', '/incident');
  await page.getByText('None that you could take back waits or is in force.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Ask somebody to approve it' }).count(), 0);
});
