/** The pages of access on request: asking and one's own, and one request with the forms to decide. */
import { eventsForAsker } from '../../grants/grant.ts';
import type { Grant } from '../../grants/grants.ts';
import { accessGlanceOf, type ListedAccess, type SeenAccess } from '../access.ts';
import { ownAccessList } from './access-list.ts';
import {
  accessEventWords,
  accessHeadline,
  accessStateWords,
  grantPath,
  lengthWords,
  thingWords,
} from './access-words.ts';
import { reasonField } from './fields.ts';
import { type Html, html } from './html.ts';
import { renderPage, type Viewer } from './layout.ts';
import { faultOf } from './ticket.ts';
import { clockTime, count, spanWords } from './words.ts';

/** What somebody typed, so that a refusal does not take it away. */
export type TypedAsking = Readonly<Partial<Record<'connection' | 'skill' | 'model' | 'minutes' | 'reason', string>>>;

export type OwnAccessView = {
  viewer: Viewer;
  connections: readonly string[];
  listed: ListedAccess;
  nowMs: number;
  notice: string | null;
  fault: string | null;
  typed: TypedAsking;
};

export function ownAccessPage({ viewer, listed, nowMs, notice, fault, ...form }: OwnAccessView): string {
  const { grants, next } = listed;
  const older = next !== null && html`<p><a href="/access?after=${next}">Older ones</a></p>`;
  const body = html`${fault !== null && faultOf(fault)}
<section aria-labelledby="yours"><h2 id="yours">What you asked for</h2>
<div id="own" data-live-part>${ownAccessList(grants, nowMs)}</div>${older}</section>
${askingForm({ viewer, ...form })}`;
  const events = `/events?list=own&seen=${accessGlanceOf(grants)}`;
  return renderPage({ title: 'Your access', viewer, path: '/access', notice, events, body });
}

function askingForm({ viewer, connections, typed }: Pick<OwnAccessView, 'viewer' | 'connections' | 'typed'>): Html {
  const options = connections.map(
    (name) => html`<option value="${name}"${typed.connection === name && html` selected`}>${name}</option>`,
  );
  return html`<section aria-labelledby="ask"><h2 id="ask">Ask for access</h2>
<p class="hint">For yourself, for a time. Others decide; it ends by itself.</p>
<form method="post" action="/access">
<input type="hidden" name="csrf" value="${viewer.csrfToken}">
<p><label for="connection">Connection</label>
<select id="connection" name="connection"><option value="">every connection (with a skill or a model)</option>${options}</select></p>
${nameField('skill', 'Skill, by its id, where you need one', typed.skill)}
${nameField('model', 'Model, by its whole name, where you need one', typed.model)}
<p><label for="minutes">For how many minutes</label>
<input type="number" id="minutes" name="minutes" min="1" max="44640" required value="${typed.minutes ?? '120'}"></p>
${reasonField('ask', 'It is recorded, and told to whoever decides.', typed.reason)}
<p><button class="ask">Ask for access</button></p>
</form></section>`;
}

function nameField(name: 'skill' | 'model', label: string, typed = ''): Html {
  return html`<p><label for="${name}">${label}</label>
<input id="${name}" name="${name}" maxlength="256" autocomplete="off" value="${typed}"></p>`;
}

export type AccessView = {
  viewer: Viewer;
  seen: Extract<SeenAccess, { kind: 'grant' }>;
  nowMs: number;
  notice: string | null;
  fault: string | null;
  typed: string;
};

export function accessPage(view: AccessView): string {
  const { viewer, seen, nowMs, notice, fault } = view;
  const { grant } = seen;
  const { id, state } = grant;
  const left =
    state.kind === 'pending' || state.kind === 'in_force' ? ` ${spanWords(state.untilMs - nowMs)} left.` : '';
  const body = html`${fault !== null && faultOf(fault)}
<div id="state" data-live-part><p class="state"><strong><bdi>${accessStateWords(grant)}.</bdi></strong>${left}</p></div>
${asked(grant)}
${decisionForms(view)}
${history(grant)}`;
  const events = `/events?${grant.wanted.kind === 'access' ? 'grant' : 'glass'}=${id}&seen=${accessGlanceOf([grant])}`;
  return renderPage({ title: accessHeadline(grant), viewer, notice, events, body });
}

function asked(grant: Grant): Html {
  const { id, wanted, terms, askedMs, events } = grant;
  const { holder } = wanted;
  const isGlass = wanted.kind === 'break_glass';
  const approvers = terms.approvers.filter((groups) => groups.length > 0).map((groups) => groups.join(', '));
  const rows: readonly (readonly [string, string])[] = [
    ['Known as', holder === null ? 'everybody' : `${holder.subject} of ${holder.issuer}`],
    ['What', thingWords(grant)],
    ['For', lengthWords(wanted.forMs)],
    ['At most', lengthWords(terms.grantMaxMs)],
    ['Why', events.find((event) => event.kind === 'asked')?.reason ?? ''],
    ['Asked', clockTime(askedMs)],
    ['Takes', `${count(terms.quorum, 'approval')}${isGlass ? ' of somebody else' : ''}`],
    ...(isGlass ? [['Lifts', 'what the rules of the break-glass list deny or hold'] as const] : []),
    ['Decided by', approvers.length === 0 ? 'whoever is listed' : `one of ${approvers.join(', and one of ')}`],
    ['Request', id],
  ];
  return html`<section aria-labelledby="asked"><h2 id="asked">What is asked</h2>
<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)}</dl></section>`;
}

function decisionForms(view: AccessView): Html {
  const { grant, mayApprove, mayRevoke, whyNot } = view.seen;
  const { state, wanted, terms } = grant;
  if (state.kind !== 'pending' && state.kind !== 'in_force')
    return decideSection(html`<p>There is nothing left to decide.</p>`);
  const revoke = mayRevoke && decisionForm(view, 'revoke', { button: 'Take it back', extra: null });
  if (state.kind === 'in_force') {
    return mayRevoke ? html`${revoke}` : decideSection(html`<p>Whoever may give it can take it back.</p>`);
  }
  if (!mayApprove) {
    const why = whyNot.map(({ message }) => html`<li>${message}</li>`);
    return html`${decideSection(html`<p>You cannot decide about this:</p><ul>${why}</ul>`)}${revoke}`;
  }
  const minutes = Math.max(1, Math.ceil(Math.min(wanted.forMs, terms.grantMaxMs) / 60_000));
  const extra = html`<p><label for="minutes">For how many minutes, at most ${minutes}</label>
<input type="number" id="minutes" name="minutes" min="1" max="${minutes}" value="${minutes}" required></p>`;
  return html`${decisionForm(view, 'approve', { button: 'Approve', extra })}
${decisionForm(view, 'deny', { button: 'Deny', extra: null })}`;
}

function decideSection(content: Html): Html {
  return html`<section aria-labelledby="decide"><h2 id="decide">Decide</h2>${content}</section>`;
}

const headings = { approve: 'Approve', deny: 'Deny', revoke: 'Take it back' } as const;

function decisionForm(
  { viewer, seen, typed }: AccessView,
  kind: 'approve' | 'deny' | 'revoke',
  { button, extra }: { button: string; extra: Html | null },
): Html {
  return html`<section aria-labelledby="${kind}"><h2 id="${kind}">${headings[kind]}</h2>
<form method="post" action="${grantPath(seen.grant)}/${kind}">
<input type="hidden" name="csrf" value="${viewer.csrfToken}">
${extra}
${reasonField(kind, 'Whoever asked can read it.', typed)}
<p><button class="${kind}">${button}</button></p>
</form></section>`;
}

function history({ events }: Grant): Html {
  return html`<section aria-labelledby="history"><h2 id="history">What happened</h2>
<ol id="events" data-live-part>${eventsForAsker(events).map(
    (event) =>
      html`<li><time datetime="${new Date(event.timeMs).toISOString()}">${clockTime(event.timeMs)}</time> <bdi>${accessEventWords(event)}</bdi></li>`,
  )}</ol></section>`;
}
