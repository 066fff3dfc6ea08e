/** The lists: what waits, what is approved and can still be used, and what was decided. */
import type { Ticket } from '../../approvals/tickets.ts';
import type { Listed } from '../approvals.ts';
import { type Html, html } from './html.ts';
import { renderPage, type Viewer } from './layout.ts';
import { clockTime, count, headline, spanWords, stateWords } from './words.ts';

/**
 * One kind of thing that waits for people, under its own heading: held requests are one, and another kind is another of
 * these.
 */
export type InboxSection = { id: string; heading: string; body: Html };

export function inboxPage(
  viewer: Viewer,
  sections: readonly InboxSection[],
  { notice, glance }: { notice: string | null; glance: string },
): string {
  const body = html`<p class="hint" id="follows" hidden>This page follows what happens by itself.</p>
<div id="inbox" data-live-part>${sections.map(
    ({ id, heading, body: content }) =>
      html`<section aria-labelledby="${id}"><h2 id="${id}">${heading}</h2>${content}</section>`,
  )}</div>`;
  return renderPage({
    title: 'Waiting for a decision',
    viewer,
    path: '/approvals',
    notice,
    events: `/events?seen=${glance}`,
    body,
  });
}

/** Held requests: those that wait for a decision, and those that were approved and can still be used. */
export function heldRequests({ tickets, next }: Listed, nowMs: number): InboxSection[] {
  const pending = tickets.filter(({ state }) => state.kind === 'pending');
  const usable = tickets.filter(({ state }) => state.kind === 'granted');
  const more = moreWords(next);
  return [
    {
      id: 'held-requests',
      heading: `Held requests (${pending.length})`,
      body: html`${pending.length === 0 ? html`<p>No request waits for you.</p>` : listOf(pending, nowMs)}${more}`,
    },
    ...(usable.length === 0
      ? []
      : [{ id: 'usable', heading: `Approved, can still be used (${usable.length})`, body: listOf(usable, nowMs) }]),
  ];
}

export function decidedPage(viewer: Viewer, { tickets, next }: Listed, nowMs: number): string {
  const decided = tickets.filter(({ state }) => state.kind !== 'pending');
  const older = next !== null && html`<p><a href="/decided?after=${next}">Older ones</a></p>`;
  const body = html`${decided.length === 0 ? html`<p>Nothing was decided yet.</p>` : listOf(decided, nowMs)}${older}`;
  return renderPage({ title: 'Decided', viewer, path: '/decided', body });
}

function moreWords(next: string | null): Html | false {
  return next !== null && html`<p><a href="/approvals?after=${next}">More that wait</a></p>`;
}

function listOf(tickets: readonly Ticket[], nowMs: number): Html {
  return html`<ul class="tickets">${tickets.map((ticket) => rowOf(ticket, nowMs))}</ul>`;
}

function rowOf(ticket: Ticket, nowMs: number): Html {
  const { summary, terms, state } = ticket;
  const findings = summary.findings.reduce((sum, finding) => sum + finding.count, 0);
  const left = state.kind === 'pending' ? ` ${spanWords(state.untilMs - nowMs)} left.` : '';
  return html`<li>
<a href="/approvals/${ticket.ticket}" aria-describedby="about-${ticket.ticket}"><bdi>${headline(ticket)}</bdi></a>
<p id="about-${ticket.ticket}">${stateWords(ticket)}.${left} Risk ${terms.risk}. Connection <bdi>${summary.connection}</bdi>. ${count(findings, 'finding')}.</p>
<p class="small">${ticket.ticket}, held ${clockTime(ticket.openedMs)}, ${spanWords(nowMs - ticket.openedMs)} ago</p>
</li>`;
}
