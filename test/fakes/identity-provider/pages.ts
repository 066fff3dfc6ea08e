/** The few pages of the demo's identity provider; every value is escaped, as a code or a name may be anything. */
import type { User } from './users.ts';

/** One button per user: choosing one is the whole login. */
export function loginPage(users: readonly User[]): string {
  const buttons = users.map(
    ({ subject, name, email }) =>
      `<p><button name="subject" value="${escapeHtml(subject)}">${escapeHtml(name)} &lt;${escapeHtml(email)}&gt;</button></p>`,
  );
  return page('Sign in (demo: no password)', `<form method="post">${buttons.join('')}</form>`);
}

/** `form` comes from oidc-provider, which asks that its submit button be added. */
export function userCodePage(form: string, hasFailed: boolean): string {
  const words = hasFailed ? 'That code is not known. Try again.' : 'Enter the code shown on your device.';
  return page('Sign in a device', `<p>${words}</p>${form}<button form="op.deviceInputForm">Continue</button>`);
}

export function confirmPage(form: string, clientName: string, userCode: string): string {
  const words = `<p>${escapeHtml(clientName)} asks to sign in with the code <b>${escapeHtml(userCode)}</b>.</p>`;
  return page('Sign in a device', `${words}${form}<button form="op.deviceConfirmForm">Continue</button>`);
}

/** `form` comes from oidc-provider; the named button ends the session there too. */
export function logoutPage(form: string): string {
  return page('Sign out', `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`);
}

export function messagePage(title: string, text: string): string {
  return page(title, `<p>${escapeHtml(text)}</p>`);
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title><h1>${escapeHtml(title)}</h1>${body}</html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
