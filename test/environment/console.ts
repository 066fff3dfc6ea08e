/** A gateway whose policy holds whatever has a mail address, with a console and a browser before it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ticketsFile } from '../../extproc/approvals/places.ts';
import { type Ticket, Tickets } from '../../extproc/approvals/tickets.ts';
import { freePort } from '../../extproc/demo/console.ts';
import { startTestGateway, type TestGateway } from './gateway.ts';
import { holdMailAddresses } from './held-streams.ts';
import { waitUntil } from './wait.ts';

export type ConsoleGateway = TestGateway & { tickets: Tickets; origin: string };

/**
 * People of the group `security` decide there: `grace` and `sam` of the demo's people.
 * @param changeLists of the policies in this directory, before they are in force
 */
export async function startConsoleGateway(
  settings: Record<string, unknown> = {},
  changeLists: (directory: string) => void = () => {},
): Promise<ConsoleGateway> {
  const gateway = await startTestGateway({
    keepBodies: true,
    consolePort: await freePort(),
    settings: { policies: { directory: 'policies' }, approvals: { holdMaxMs: 60_000 }, ...settings },
    prepare(directory) {
      holdMailAddresses(directory);
      letDecide(directory, [{ actions: ['decide'], token_groups: ['security'] }]);
      changeLists(directory);
    },
  });
  const tickets = new Tickets(ticketsFile(gateway.dataDirectory));
  const { stop } = gateway;
  return Object.create(gateway, {
    tickets: { value: tickets },
    origin: { value: gateway.console?.url },
    stop: {
      value: async () => {
        tickets.close();
        await stop();
      },
    },
  }) as ConsoleGateway;
}

/** Whom policy lets see and decide. */
export function letDecide(directory: string, operators: readonly object[]): void {
  const file = join(directory, 'policies/lists/console/data.json');
  const { limits } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ operators, limits }));
}

export function promptOf(text: string): string {
  const messages = [{ role: 'user', content: `${text} ada@example.com` }];
  return JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 64, messages });
}

/** Sends a prompt that is held, and gives its ticket beside the answer that comes some time. */
export async function holdRequest(gateway: ConsoleGateway, text: string, subject = 'alice') {
  const headers = { authorization: `Bearer ${await gateway.token(subject)}` };
  const answer = gateway.post(promptOf(text), headers);
  // A test may end before it is answered.
  answer.catch(() => {});
  const find = () => ticketsOf(gateway, text)[0];
  const { ticket } = await waitUntil(`a ticket for ${text}`, find);
  return { ticket, answer };
}

export function ticketsOf({ tickets }: ConsoleGateway, text: string): Ticket[] {
  return tickets.list('all', 1000, Date.now()).filter(({ summary }) => summary.excerpt.includes(text));
}

/** A browser of its own for one person, in which whatever our content security policy stopped is a fault. */
export async function openBrowser(
  browser: Browser,
): Promise<{ context: BrowserContext; page: Page; faults: string[] }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const faults: string[] = [];
  await context.exposeBinding('reportFault', (_source, fault: string) => faults.push(fault));
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => reportFault(violatedDirective + ' ' + blockedURI));",
  );
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('dialog', async (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return { context, page, faults };
}

/** Opens a page of the console and logs in as one of the demo's people on the way. */
export async function logIn(page: Page, { origin }: ConsoleGateway, name: string, path = '/approvals'): Promise<void> {
  await page.goto(`${origin}${path}`);
  await page.getByRole('button', { name }).click();
  await page.waitForURL(`${origin}${path}`);
  assert.match(String(await page.getByRole('banner').textContent()), /Logged in as/);
}

/** What a screen reader needs of the page that is shown, by its accessibility tree: names, one heading, the landmarks. */
export async function assertAccessible(page: Page): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send('Accessibility.getFullAXTree');
  const seen = nodes.filter(({ ignored }) => !ignored);
  const focusable = seen.filter(({ properties = [] }) =>
    properties.some(({ name, value }) => name === 'focusable' && value.value === true),
  );
  const nameless = focusable.filter(({ name, role }) => !name?.value && !['main', 'RootWebArea'].includes(role?.value));
  assert.deepEqual(
    nameless.map(({ role }) => role?.value),
    [],
    page.url(),
  );
  const count = (role: string) => seen.filter((node) => node.role?.value === role).length;
  assert.deepEqual([count('main'), count('banner'), count('navigation'), count('status')], [1, 1, 1, 1], page.url());
  assert.equal(await page.locator('h1').count(), 1, page.url());
  assert.ok(focusable.length > 4, page.url());
}
