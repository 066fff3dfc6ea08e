import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { stopsFile } from '../../extproc/stops/places.ts';
import { Stops } from '../../extproc/stops/stops.ts';
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
import { openCall } from '../environment/raw-call.ts';
import { waitUntil } from '../environment/wait.ts';

const skip = withoutChromium() ?? false;

let gateway: ConsoleGateway;
let browser: Browser;
before(async () => {
  if (skip !== false) return;
  gateway = await startConsoleGateway({}, (directory) =>
    letDecide(directory, [{ actions: ['stop'], token_groups: ['security'] }]),
  );
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

function stoppedSessions(): string[] {
  const stops = new Stops(stopsFile(gateway.dataDirectory));
  const sessions = stops.stopped().map(({ session }) => session);
  stops.close();
  return sessions;
}

async function send(session: string) {
  const headers = { authorization: `Bearer ${await gateway.token('alice')}`, 'x-claude-code-session-id': session };
  return gateway.post(messagesBody('what comes of it'), headers);
}

/** An answer that goes on for a while. */
async function running(marker: string) {
  const authorization = `Bearer ${await gateway.token('alice')}`;
  const call = openCall(gateway, { headers: { authorization, 'x-claude-code-session-id': marker } });
  call.end(messagesBody(`[fake: large 9000] [fake: slow 50] ${marker}`, { stream: true }));
  const { headers } = await call.head;
  await waitUntil('the first events', () => call.received().includes('content_block_delta'));
  return { call, session: String(headers['x-skilltape-session']) };
}

async function tabTo(page: Page, words: string): Promise<void> {
  const pressesMax = 30;
  for (let press = 0; press < pressesMax; press += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate("document.activeElement?.textContent ?? ''")) === words) return;
  }
  assert.fail(`${words} has not the focus within ${pressesMax} presses of Tab`);
}

test('an operator stops a running session by keyboard alone, sees what it ended, and takes its requests again', {
  skip,
}, async () => {
  const { call, session } = await running('by-keyboard');
  const { page, faults } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace', '/incident');
  await page.getByLabel('Its id').focus();
  await page.keyboard.type(session);
  await page.keyboard.press('Tab');
  await page.keyboard.type('it reads what it must not read');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.getByRole('heading', { name: 'Stop this session?' }).waitFor();
  assert.deepEqual(stoppedSessions(), [], 'the first page stops nothing');
  // A key that was held too long stops nothing: the button has to be gone to.
  await page.keyboard.press('Space');
  assert.deepEqual(stoppedSessions(), []);
  await tabTo(page, 'Stop it now');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText(`Recorded. The session ${session} is stopped.`).waitFor();
  assert.equal(await call.over, 'cut');
  // What it ended comes to the page by itself.
  await page.getByText('Ended 1 exchange').waitFor();
  assert.deepEqual(stoppedSessions(), [session]);
  assert.equal((await send('by-keyboard')).status, 403);
  await page.getByRole('link', { name: `Take requests of ${session} again` }).click();
  await page.getByRole('textbox', { name: 'Reason' }).fill('it was another one');
  await page.getByRole('button', { name: 'Take its requests again' }).click();
  await page.getByText('No session is stopped.').waitFor();
  assert.deepEqual(stoppedSessions(), []);
  await waitUntil('its requests are taken again', async () => (await send('by-keyboard')).status === 200);
  assert.deepEqual(faults, []);
});

test('somebody without rights has no form to stop anything, and is told why', { skip }, async () => {
  const { page, faults } = await openBrowser(browser);
  await logIn(page, gateway, 'Alice', '/incident');
  await page.getByText('You cannot stop anything:').waitFor();
  assert.equal(await page.getByLabel('Its id').count(), 0);
  assert.deepEqual(faults, []);
});

test('whatever takes the focus on these pages has a name, and each page its heading and landmarks', {
  skip,
}, async () => {
  const { page } = await openBrowser(browser);
  await logIn(page, gateway, 'Sam', '/incident');
  await assertAccessible(page);
  await page.getByLabel('Its id').fill('s-none');
  await page.getByRole('textbox', { name: 'Reason' }).fill('to see the second page');
  await page.getByRole('button', { name: 'Go on to stop it' }).click();
  await page.getByRole('heading', { name: 'Stop this session?' }).waitFor();
  await assertAccessible(page);
  await page.getByRole('link', { name: 'Leave it running' }).click();
  await page.waitForURL(`${gateway.origin}/incident`);
  assert.deepEqual(stoppedSessions(), []);
  await page.goto(`${gateway.origin}/incident/lift/s-none`);
  await assertAccessible(page);
});
