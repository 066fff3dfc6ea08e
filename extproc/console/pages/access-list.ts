/** Lists of access: what waits for a decision and what is in force, for the inbox; and what somebody asked for themselves. */
import type { Grant } from '../../grants/grants.ts';
import { isOwn, type ListedAccess } from '../access.ts';
import type { Person } from '../person.ts';
import { accessHeadline, accessStateWords, lengthWords, thingWords } from './access-words.ts';
import { type Html, html } from './html.ts';
import type { InboxSection } from './inbox.ts';
import { clockTime, spanWords } from './words.ts';

/** Of others: about their own nobody decides, and it stands on a page of its own. */
export function accessRequests({ grants, next }: ListedAccess, person: Person, nowMs: number): InboxSection[] {
  const others = grants.filter((grant) => !isOwn(grant, person));
  const pending = others.filter(({ state }) => state.kind === 'pending');
  const inForce = others.filter(({ state }) => state.kind === 'in_force');
  const rows = (found: readonly Grant[]) => accessList(found, nowMs, accessHeadline);
  const more = next !== null && html`<p>There are more; the API lists all.</p>`;
  const sections = [
    { id: 'access-requests', heading: `Access requests (${pending.length})`, found: pending },
    { id: 'access-in-force', heading: `Access in force (${inForce.length})`, found: inForce },
  ];
  return sections
    .filter(({ found }) => found.length > 0)
    .map(({ id, heading, found }) => ({ id, heading, body: html`${rows(found)}${more}` }));
}

export function ownAccessList(grants: readonly Grant[], nowMs: number): Html {
  if (grants.length === 0) return html`<p>You have asked for nothing yet.</p>`;
  return accessList(grants, nowMs, thingWords);
}

function accessList(grants: readonly Grant[], nowMs: number, headline: (grant: Grant) => string): Html {
  return html`<ul class="tickets">${grants.map((grant) => rowOf(grant, nowMs, headline(grant)))}</ul>`;
}

function rowOf(grant: Grant, nowMs: number, headline: string): Html {
  const { id, state, wanted, askedMs } = grant;
  const left =
    state.kind === 'pending' || state.kind === 'in_force' ? ` ${spanWords(state.untilMs - nowMs)} left.` : '';
  return html`<li>
<a href="/access/${id}" aria-describedby="about-${id}"><bdi>${headline}</bdi></a>
<p id="about-${id}"><bdi>${accessStateWords(grant)}.</bdi>${left} Asked for ${lengthWords(wanted.forMs)}.</p>
<p class="small">${id}, asked ${clockTime(askedMs)}, ${spanWords(nowMs - askedMs)} ago</p>
</li>`;
}
