import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { SqliteLookLog } from '../../extproc/looks/sqlite-look-log.ts';
import { startChromium, withoutChromium } from '../environment/chromium.ts';
import {
  assertAccessible,
  type ConsoleGateway,
  holdRequest,
  logIn,
  openBrowser,
  startConsoleGateway,
  ticketsOf,
} from '../environment/console.ts';

const skip = withoutChromium() ?? false;

let gateway: ConsoleGateway;
let browser: Browser;
before(async () => {
  if (skip !== false) return;
  gateway = await startConsoleGateway();
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** What was looked at, the newest first. */
function looks() {
  const log = new SqliteLookLog(gateway.dataDirectory);
  const found = log.list().map(({ who, what, subject, why }) => ({ who, what, subject: String(subject), why }));
  log.close();
  return found;
}

async function decide(page: Page, what: string, reason: string): Promise<void> {
  const form = page.getByRole('region', { name: what, exact: true });
  await form.getByRole('textbox', { name: 'Reason' }).fill(reason);
  await form.getByRole('button').click();
  await page.getByRole('status').getByText('Recorded.').waitFor();
}

test('an approver sees a new request come in, approves it with a reason, and the held request is answered', {
  skip,
}, async () => {
  const { page, faults, context } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace');
  await page.getByText('No request waits for you.').waitFor();
  const { ticket, answer } = await holdRequest(gateway, 'live one');
  const link = page.getByRole('link', { name: 'alice@example.com wants to send a message to Claude' });
  await link.waitFor();
  await link.click();
  await page.waitForURL(`${gateway.origin}/approvals/${ticket}`);
  assert.match(
    String(await page.getByRole('region', { name: 'Text of the prompt' }).textContent()),
    /live one \[EMAIL\]/,
  );
  assert.doesNotMatch(await page.content(), /ada@example/);
  await decide(page, 'Approve', 'checked with the owner');
  assert.equal((await answer).status, 200);
  const [found] = ticketsOf(gateway, 'live one');
  const approved = found?.events.find((event) => event.kind === 'approved');
  assert.ok(approved?.kind === 'approved' && approved.by.kind === 'person');
  const { issuer, subject, via, address, authenticatedMs } = approved.by;
  assert.deepEqual([issuer, subject, via], [gateway.identityProvider.issuer, 'grace', 'console']);
  assert.match(address, /127\.0\.0\.1$/);
  assert.ok(authenticatedMs !== null && Math.abs(Date.now() - authenticatedMs) < 600_000);
  assert.ok(
    looks().some(
      ({ what, subject: text, why }) =>
        what === 'decision' && text === `approve ${ticket}` && why === 'checked with the owner',
    ),
  );
  assert.deepEqual(faults, []);
  await context.close();
});

test('a page that nobody sees does not listen, and shows what happened when it is seen again', { skip }, async () => {
  const { page, context, faults } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace');
  const showPage = (isHidden: boolean) =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
       document.dispatchEvent(new Event('visibilitychange'));`,
    );
  await showPage(true);
  const { ticket } = await holdRequest(gateway, 'unseen one');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(await page.locator(`a[href="/approvals/${ticket}"]`).count(), 0);
  await showPage(false);
  await page.locator(`a[href="/approvals/${ticket}"]`).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('logging out ends the session here and at the identity provider, and the cookie is good for nothing then', {
  skip,
}, async () => {
  const { page, context, faults } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace', '/decided');
  const cookies = await context.cookies(gateway.origin);
  const session = cookies.find(({ name }) => name === '__Host-skilltape-session');
  assert.ok(session?.httpOnly && session.secure && session.sameSite === 'Lax');
  assert.ok(!cookies.some(({ name }) => name === '__Host-skilltape-login'), 'the pending login is forgotten');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${gateway.origin}/logged-out*`);
  await context.addCookies([session]);
  await page.goto(`${gateway.origin}/approvals`);
  await page.getByRole('heading', { name: 'Sign in (demo: no password)' }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('nobody approves a request of their own, whatever is sent', { skip }, async () => {
  const { ticket } = await holdRequest(gateway, 'own one', 'grace');
  const { page, context } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace', `/approvals/${ticket}`);
  await page.getByText('You cannot decide about a request of your own.').waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Reason' }).count(), 0);
  const response = await post(page, `/approvals/${ticket}/approve`, { reason: 'I know what I do' });
  assert.equal(response.status(), 403);
  assert.match(await response.text(), /request of your own/);
  assert.equal(ticketsOf(gateway, 'own one')[0]?.state.kind, 'pending');
  assert.ok(looks().some(({ subject }) => subject === `refused: approve ${ticket} (console/own_request)`));
  await context.close();
});

/** What a page of the console would send, with the token that is in it. */
async function post(page: Page, path: string, form: Record<string, string>, origin = gateway.origin) {
  const csrf = await page.locator('input[name=csrf]').first().inputValue();
  return page.context().request.post(`${gateway.origin}${path}`, {
    ...{ form: { csrf, ...form }, headers: { origin }, maxRedirects: 0 },
  });
}

test('what no page of the console sent decides nothing, and is recorded', { skip }, async () => {
  const { ticket } = await holdRequest(gateway, 'forged one');
  const { page, context } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace');
  const path = `/approvals/${ticket}/approve`;
  const reason = 'whatever it is';
  assert.equal((await post(page, path, { reason }, 'https://evil.example')).status(), 403);
  assert.equal((await post(page, path, { reason }, 'null')).status(), 403);
  assert.equal((await post(page, path, { reason, csrf: 'x'.repeat(43) })).status(), 403);
  const noticed = looks().filter(({ subject }) => subject.startsWith(`refused: approve ${ticket} (not sent by`));
  assert.equal(noticed.length, 3);
  const form = `<form method="post" action="${gateway.origin}${path}"><input name="reason" value="yes, do"></form>`;
  await context.route('https://evil.example/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: `${form}<script>document.forms[0].submit()</script>` }),
  );
  const answered = page.waitForResponse((response) => response.url().endsWith(path));
  await page.goto('https://evil.example/').catch(() => {});
  assert.equal((await answered).status(), 401, 'the cookie does not go along');
  for (const address of [path, `${path}?reason=please+do`, `/approvals/${ticket}/deny?reason=please+do`]) {
    assert.equal((await context.request.get(`${gateway.origin}${address}`)).status(), 404, address);
  }
  const [found] = ticketsOf(gateway, 'forged one');
  assert.deepEqual(
    found?.events.map(({ kind }) => kind),
    ['opened', 'waiting'],
  );
  await context.close();
});

test('a hostile prompt is shown as text: no script runs, no markup, and what hides text is named', {
  skip,
}, async () => {
  const hostile = `hostile one </pre><script>alert(1)</script><img src=x onerror=alert(2)> \u202Eetelpmoc\u202C \u200B" onload="`;
  const { ticket } = await holdRequest(gateway, hostile);
  const { page, context, faults } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace', `/approvals/${ticket}`);
  const shown = await page.getByRole('region', { name: 'Text of the prompt' }).textContent();
  assert.match(
    String(shown),
    /<\/pre><script>alert\(1\)<\/script><img src=x onerror=alert\(2\)> <U\+202E>etelpmoc<U\+202C> <U\+200B>/,
  );
  assert.equal(await page.locator('pre script, pre img, script:not([src])').count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test('somebody without rights sees nothing, and cannot tell a request from none', { skip }, async () => {
  const { ticket } = await holdRequest(gateway, 'hidden one');
  const { page, context } = await openBrowser(browser);
  await logIn(page, gateway, 'Bob');
  await page.getByText('No request waits for you.').waitFor();
  const get = async (path: string) => {
    const response = await context.request.get(`${gateway.origin}${path}`);
    const text = (await response.text()).replaceAll(/value="[^"]*"/g, '');
    return [response.status(), text];
  };
  assert.deepEqual(await get(`/approvals/${ticket}`), await get('/approvals/t-aaaaaa-0000000000'));
  assert.equal((await get(`/approvals/${ticket}`))[0], 404);
  assert.equal((await post(page, `/approvals/${ticket}/deny`, { reason: 'no reason at all' })).status(), 404);
  assert.equal(ticketsOf(gateway, 'hidden one')[0]?.state.kind, 'pending');
  await context.close();
});

test('a request is denied by keyboard alone, and whoever asked is told why', { skip }, async () => {
  const { ticket, answer } = await holdRequest(gateway, 'keyboard one');
  const { page, context, faults } = await openBrowser(browser);
  await logIn(page, gateway, 'Sam');
  await tabTo(page, 'link', ticket);
  await page.keyboard.press('Enter');
  await page.waitForURL(`${gateway.origin}/approvals/${ticket}`);
  await tabTo(page, 'textarea', 'deny-reason');
  await page.keyboard.type('not with this customer');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await page.getByRole('status').getByText('Recorded. Denied by sam@example.com.').waitFor();
  const { status, body } = await answer;
  assert.equal(status, 403);
  assert.match(body.toString(), /not with this customer/);
  assert.deepEqual(faults, []);
  await context.close();
});

/** Presses Tab until a link to the ticket, or the field of that id, has the focus. */
async function tabTo(page: Page, what: 'link' | 'textarea', name: string): Promise<void> {
  const focused = () =>
    page.evaluate(
      "document.activeElement?.getAttribute('href') ?? document.activeElement?.id ?? ''",
    ) as Promise<string>;
  const pressesMax = 60;
  for (let press = 0; press < pressesMax; press += 1) {
    await page.keyboard.press('Tab');
    if ((await focused()).endsWith(name)) return;
  }
  assert.fail(`no ${what} ${name} within ${pressesMax} presses of Tab`);
}

test('whatever takes the focus has a name, and each page its heading and landmarks', { skip }, async () => {
  const { ticket } = await holdRequest(gateway, 'named one');
  const { page, context } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace');
  for (const path of ['/approvals', '/decided', `/approvals/${ticket}`]) {
    await page.goto(`${gateway.origin}${path}`);
    await assertAccessible(page);
  }
  await context.close();
});

test('everything can be done without script', { skip }, async () => {
  const { ticket, answer } = await holdRequest(gateway, 'scriptless one');
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false });
  const page = await context.newPage();
  await logIn(page, gateway, 'Grace', `/approvals/${ticket}`);
  await decide(page, 'Approve', 'checked with the owner');
  assert.equal((await answer).status, 200);
  await context.close();
});

test('a decision on a page that is out of date is refused with what was decided, and what was typed stays', {
  skip,
}, async () => {
  const { ticket } = await holdRequest(gateway, 'late one');
  const { page, context } = await openBrowser(browser);
  await logIn(page, gateway, 'Grace', `/approvals/${ticket}`);
  await page.route('**/events*', (route) => route.abort());
  await page.reload();
  const other = await openBrowser(browser);
  await logIn(other.page, gateway, 'Sam', `/approvals/${ticket}`);
  await decide(other.page, 'Deny', 'not with this customer');
  const form = page.getByRole('region', { name: 'Approve', exact: true });
  await form.getByRole('textbox', { name: 'Reason' }).fill('it seems right to me');
  await form.getByRole('button').click();
  await page.getByRole('alert').getByText('Denied by sam@example.com').waitFor();
  assert.deepEqual(
    ticketsOf(gateway, 'late one')[0]
      ?.events.map(({ kind }) => kind)
      .slice(-2),
    ['waiting', 'denied'],
  );
  await Promise.all([context.close(), other.context.close()]);
});
