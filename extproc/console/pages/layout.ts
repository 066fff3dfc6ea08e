/** What every page has: head, ways around, who is logged in, and the notice of what was done. */
import { type Html, html } from './html.ts';

export type Viewer = { name: string; csrfToken: string };

/**
 * @property viewer null: nobody is logged in
 * @property path of the page, to mark it among the ways around
 * @property notice what was done, told once
 * @property events where the page hears of what happens; null: it does not follow it
 */
export type Page = {
  title: string;
  viewer: Viewer | null;
  path?: string;
  notice?: string | null;
  events?: string | null;
  head?: Html;
  body: Html;
};

const ways = [
  { path: '/approvals', words: 'Waiting' },
  { path: '/decided', words: 'Decided' },
  { path: '/access', words: 'Your access' },
  { path: '/incident', words: 'Incident' },
] as const;

export function renderPage(page: Page): string {
  const { title, viewer, notice = null, body, head = null, events = null } = page;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - skilltape</title>
${head}
<link rel="stylesheet" href="/assets/console.css">
${events !== null && html`<script src="/assets/console.js" defer></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="product">skilltape <span>approvals</span></p>
${viewer !== null && navigation(page.path)}
${viewer !== null && loggedIn(viewer)}
</header>
<main id="main" tabindex="-1"${events !== null && html` data-events="${events}"`}>
<h1>${title}</h1>
<p id="announcement" class="announcement" role="status" aria-live="polite">${notice ?? ''}</p>
${body}
</main>
</body>
</html>
`.text;
}

function navigation(path: string | undefined): Html {
  const items = ways.map((way) =>
    way.path === path
      ? html`<li><a href="${way.path}" aria-current="page">${way.words}</a></li>`
      : html`<li><a href="${way.path}">${way.words}</a></li>`,
  );
  return html`<nav aria-label="Approvals"><ul>${items}</ul></nav>`;
}

function loggedIn({ name, csrfToken }: Viewer): Html {
  return html`<form class="logout" method="post" action="/logout">
<input type="hidden" name="csrf" value="${csrfToken}">
<span>Logged in as <bdi>${name}</bdi></span>
<button>Log out</button>
</form>`;
}

/** A page that says what is wrong and what can be done. */
export function messagePage(title: string, words: string, viewer: Viewer | null, way: Html | null = null): string {
  return renderPage({ title, viewer, body: html`<p>${words}</p>${way}` });
}

/** On to the identity provider. Not by a redirect of the form, which our content security policy keeps to ourselves. */
export function loggingOutPage(url: string): string {
  return renderPage({
    title: 'Logging out',
    viewer: null,
    head: html`<meta http-equiv="refresh" content="0; url=${url}">`,
    body: html`<p>You are logged out of the console. <a href="${url}">Go on to log out at the identity provider</a></p>`,
  });
}
