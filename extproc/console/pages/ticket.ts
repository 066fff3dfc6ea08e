/** One ticket: what is asked, what was found, what is not shown, what happened, and the forms to decide. */
import { approverListsOf, usesMax } from '../../approvals/ticket.ts';
import type { Ticket } from '../../approvals/tickets.ts';
import { glanceOf, type Seen } from '../approvals.ts';
import { reasonField } from './fields.ts';
import { type Html, html } from './html.ts';
import { renderPage, type Viewer } from './layout.ts';
import {
  clockTime,
  count,
  eventWords,
  headline,
  leftOutWords,
  scopeWords,
  spanWords,
  stateWords,
  whoAsks,
} from './words.ts';

/** What a person typed, so that a refusal does not take it away. */
export type Typed = { reason: string };

/** `fault`: why a decision was not taken, told at the top and at the form. */
export type TicketView = {
  viewer: Viewer;
  seen: Extract<Seen, { kind: 'ticket' }>;
  nowMs: number;
  notice: string | null;
  fault: string | null;
  typed: Typed | null;
};

export function ticketPage(view: TicketView): string {
  const { viewer, seen, nowMs, notice, fault } = view;
  const { ticket } = seen;
  const body = html`${fault !== null && faultOf(fault)}
<div id="state" data-live-part><p class="state"><strong>${stateWords(ticket)}.</strong>${timeLeft(ticket, nowMs)}</p></div>
${asked(ticket)}
${found(ticket)}
${excerpt(ticket)}
${decisionForms(view)}
${history(ticket)}`;
  return renderPage({
    title: headline(ticket),
    viewer,
    notice,
    events: `/events?ticket=${ticket.ticket}&seen=${glanceOf([ticket])}`,
    body,
  });
}

/** Takes the focus: a person who cannot see the page is told first that it was not done. */
export function faultOf(fault: string): Html {
  return html`<div class="fault" role="alert" id="fault" tabindex="-1"><h2>Not recorded</h2><p>${fault}</p></div>`;
}

function timeLeft({ state }: Ticket, nowMs: number): Html | false {
  return state.kind === 'pending' && html` ${spanWords(state.untilMs - nowMs)} left.`;
}

function asked(ticket: Ticket): Html {
  const { summary, terms } = ticket;
  const rows: readonly (readonly [string, string])[] = [
    ['Asked by', whoAsks(summary.person)],
    ['Known as', summary.person === null ? 'not known' : `${summary.person.subject} of ${summary.person.issuer}`],
    ['Connection', summary.connection],
    ['Session', summary.session],
    ['Held', clockTime(ticket.openedMs)],
    ['Model', listed(summary.models)],
    ['Skills', listed(summary.skills)],
    ['Tools', listed(summary.tools)],
    ['Risk', terms.risk],
    ['Takes', count(terms.quorum, 'approval')],
    ['Decided by', decidedBy(approverListsOf(terms))],
    ['Ticket', ticket.ticket],
  ];
  return html`<section aria-labelledby="asked"><h2 id="asked">What is asked</h2>
<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)}</dl>
<h3>Why it is held</h3>
<ul>${summary.reasons.map(({ rule, message }) => html`<li><bdi>${message}</bdi> <span class="small">(${rule})</span></li>`)}</ul>
</section>`;
}

/** Of each list, as policy asks it: somebody of one of them alone decides nothing. */
function decidedBy(lists: readonly (readonly string[])[]): string {
  if (lists.length === 0) return 'whoever is listed';
  return `people of ${lists.map((groups) => `one of the groups ${groups.join(', ')}`).join(' and of ')}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function found({ summary }: Ticket): Html {
  const rows = summary.findings.map(
    ({ type, place, count: times }) => html`<tr><td>${type}</td><td>${place}</td><td>${times}</td></tr>`,
  );
  const table = html`<table><caption>Secrets and personal data, by type</caption>
<thead><tr><th scope="col">Type</th><th scope="col">Where</th><th scope="col">How many</th></tr></thead>
<tbody>${rows}</tbody></table>`;
  return html`<section aria-labelledby="found"><h2 id="found">What was found in it</h2>
${rows.length === 0 ? html`<p>Nothing was found.</p>` : table}
${!summary.findingsComplete && html`<p><strong>Not all of it was searched.</strong></p>`}</section>`;
}

function excerpt(ticket: Ticket): Html {
  const { excerpt: text } = ticket.summary;
  return html`<section aria-labelledby="excerpt"><h2 id="excerpt">The newest prompt, masked</h2>
${
  text === ''
    ? html`<p>There is no text to show.</p>`
    : html`<pre dir="auto" tabindex="0" role="region" aria-label="Text of the prompt">${text}</pre>`
}
<h3 id="left-out">What is not shown</h3>
<ul aria-labelledby="left-out">${leftOutWords(ticket).map((line) => html`<li>${line}</li>`)}</ul></section>`;
}

function decisionForms(view: TicketView): Html {
  const { seen } = view;
  const { state } = seen.ticket;
  if (state.kind !== 'pending' && state.kind !== 'granted') {
    return html`<section aria-labelledby="decide"><h2 id="decide">Decide</h2><p>There is nothing left to decide.</p></section>`;
  }
  if (!seen.mayDecide) {
    return html`<section aria-labelledby="decide"><h2 id="decide">Decide</h2><p>You cannot decide about this:</p>
<ul>${seen.whyNot.map(({ message }) => html`<li>${message}</li>`)}</ul></section>`;
  }
  return state.kind === 'granted'
    ? decisionForm(view, { kind: 'revoke', heading: 'Take the approval back', button: 'Take it back', extra: null })
    : html`${decisionForm(view, { kind: 'approve', heading: 'Approve', button: 'Approve', extra: scopes(seen.ticket) })}
${decisionForm(view, { kind: 'deny', heading: 'Deny', button: 'Deny', extra: null })}`;
}

type FormWords = { kind: 'approve' | 'deny' | 'revoke'; heading: string; button: string; extra: Html | null };

function decisionForm({ viewer, seen, typed }: TicketView, { kind, heading, button, extra }: FormWords): Html {
  const told = kind === 'deny' ? 'Whoever asked is told it.' : 'It is recorded with the decision.';
  return html`<section aria-labelledby="${kind}"><h2 id="${kind}">${heading}</h2>
<form method="post" action="/approvals/${seen.ticket.ticket}/${kind}">
<input type="hidden" name="csrf" value="${viewer.csrfToken}">
${extra}
${reasonField(kind, told, typed?.reason)}
<p><button class="${kind}">${button}</button></p>
</form></section>`;
}

function scopes({ terms }: Ticket): Html {
  const minutes = Math.max(1, Math.floor(terms.grantMaxMs / 60_000));
  const choices = terms.scopes.map(
    (scope, at) =>
      html`<p><input type="radio" name="scope" id="scope-${scope}" value="${scope}"${at === 0 && html` checked`}>
<label for="scope-${scope}">${scopeWords[scope]}</label></p>`,
  );
  const isWide = terms.scopes.some((scope) => scope !== 'request');
  return html`<fieldset><legend>Good for</legend>${choices}</fieldset>
${
  isWide &&
  html`<p><label for="uses">How many requests, where it is more than this one</label>
<input type="number" id="uses" name="uses" min="1" max="${usesMax}" value="20"></p>`
}
<p><label for="minutes">How many minutes it can be used, at most ${minutes}</label>
<input type="number" id="minutes" name="minutes" min="1" max="${minutes}" value="${Math.min(30, minutes)}"></p>`;
}

function history({ events }: Ticket): Html {
  return html`<section aria-labelledby="history"><h2 id="history">What happened</h2>
<ol id="events" data-live-part>${events.map(
    (event) =>
      html`<li><time datetime="${new Date(event.timeMs).toISOString()}">${clockTime(event.timeMs)}</time> <bdi>${eventWords(event)}</bdi></li>`,
  )}</ol></section>`;
}
