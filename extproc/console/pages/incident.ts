/** The pages for while something goes wrong: stopping what runs, what is stopped, and break-glass. */
import { type StoppedBy, type StoppedSession, type StopTarget, stopperName } from '../../stops/stops.ts';
import { type Incident, incidentGlanceOf, type RecentStop } from '../incidents.ts';
import { reasonField } from './fields.ts';
import { type Html, html } from './html.ts';
import { type Breaking, breakGlass, glassForm } from './incident-glass.ts';
import { renderPage, type Viewer } from './layout.ts';
import { faultOf } from './ticket.ts';
import { clockTime, count, spanWords } from './words.ts';

/** What somebody typed, so that a refusal does not take it away. */
export type TypedStop = Readonly<Partial<Record<'kind' | 'id' | 'reason', string>>>;

export type IncidentView = {
  viewer: Viewer;
  incident: Incident;
  /** null: they may not begin any. */
  breaking: Breaking | null;
  nowMs: number;
  notice: string | null;
  fault: string | null;
  typed: TypedStop;
};

export function incidentPage({ viewer, incident, breaking, nowMs, notice, fault, typed }: IncidentView): string {
  const { mayStop, stopped, recent, glass } = incident;
  const body = html`${fault !== null && faultOf(fault)}
${mayStop ? stopForm(viewer, typed) : mayNot(incident)}
${mayStop && stoppedSessions(stopped, nowMs)}
${mayStop && recentStops(recent, nowMs)}
${breakGlass(glass, nowMs)}
${breaking !== null && glassForm(viewer, breaking)}`;
  const events = `/events?list=incident&seen=${incidentGlanceOf(incident)}`;
  return renderPage({ title: 'Incident', viewer, path: '/incident', notice, events, body });
}

/** Between the form and the stop: what it does to whom, in words. */
export function confirmStopPage(viewer: Viewer, { kind, id }: StopTarget, reason: string): string {
  const does =
    kind === 'session'
      ? 'All that runs of this session ends now, and what comes of it is refused until somebody lifts it.'
      : 'This exchange ends now. Its session may go on.';
  const body = html`<p>${does} Whoever asked is told the reason.</p>
<dl><div><dt>${kind === 'session' ? 'Session' : 'Exchange'}</dt><dd><bdi>${id}</bdi></dd></div>
<div><dt>Reason</dt><dd><bdi>${reason}</bdi></dd></div></dl>
<form method="post" action="/incident/stop">
<input type="hidden" name="csrf" value="${viewer.csrfToken}">
<input type="hidden" name="kind" value="${kind}">
<input type="hidden" name="id" value="${id}">
<input type="hidden" name="reason" value="${reason}">
<input type="hidden" name="confirmed" value="yes">
<p><button class="deny">Stop it now</button> <a href="/incident">Leave it running</a></p>
</form>`;
  return renderPage({ title: `Stop this ${kind}?`, viewer, path: '/incident', body });
}

/** A page of its own: the list changes while people type. */
export function liftPage(
  viewer: Viewer,
  session: string,
  { fault, typed }: { fault: string | null; typed: string },
): string {
  const body = html`${fault !== null && faultOf(fault)}
<p>What comes of the session <bdi>${session}</bdi> goes on as policy has it, from the next request on.</p>
<form method="post" action="/incident/lift/${encodeURIComponent(session)}">
<input type="hidden" name="csrf" value="${viewer.csrfToken}">
${reasonField('lift', 'It is recorded.', typed)}
<p><button class="revoke">Take its requests again</button> <a href="/incident">Leave it stopped</a></p>
</form>`;
  return renderPage({ title: 'Take requests of a session again?', viewer, path: '/incident', body });
}

function mayNot({ whyNot }: Incident): Html {
  return html`<section aria-labelledby="stop"><h2 id="stop">Stop what runs</h2><p>You cannot stop anything:</p>
<ul>${whyNot.map(({ message }) => html`<li>${message}</li>`)}</ul></section>`;
}

const kinds = [
  { kind: 'session', words: 'A session: all that runs of it, and what comes' },
  { kind: 'exchange', words: 'One running exchange' },
] as const;

function stopForm(viewer: Viewer, { kind: chosen = 'session', id, reason }: TypedStop): Html {
  const choices = kinds.map(
    ({
      kind,
      words,
    }) => html`<p><input type="radio" name="kind" id="kind-${kind}" value="${kind}"${kind === chosen && html` checked`}>
<label for="kind-${kind}">${words}</label></p>`,
  );
  return html`<section aria-labelledby="stop"><h2 id="stop">Stop what runs</h2>
<form method="post" action="/incident/stop">
<input type="hidden" name="csrf" value="${viewer.csrfToken}">
<fieldset><legend>What</legend>${choices}</fieldset>
<p><label for="stop-id">Its id</label>
<span class="hint" id="stop-id-hint">As the record, an answer (x-skilltape-session, x-skilltape-exchange) or Kibana has it.</span>
<input id="stop-id" name="id" maxlength="128" required autocomplete="off" aria-describedby="stop-id-hint" value="${id ?? ''}"></p>
${reasonField('stop', 'It is recorded, and told to whoever asked.', reason)}
<p><button class="deny">Go on to stop it</button></p>
</form></section>`;
}

function stoppedSessions(sessions: readonly StoppedSession[], nowMs: number): Html {
  const rows = sessions.map(
    ({ session, by, reason, timeMs }) => html`<li><strong><bdi>${session}</bdi></strong>
<p>Stopped ${spanWords(nowMs - timeMs)} ago by <bdi>${byWords(by)}</bdi>: <bdi>${reason}</bdi></p>
<p><a href="/incident/lift/${encodeURIComponent(session)}">Take requests of <bdi>${session}</bdi> again</a></p></li>`,
  );
  return html`<section aria-labelledby="stopped"><h2 id="stopped">Stopped sessions (${sessions.length})</h2>
<div id="stopped-list" data-live-part>${
    rows.length === 0 ? html`<p>No session is stopped.</p>` : html`<ul class="tickets">${rows}</ul>`
  }</div></section>`;
}

function recentStops(recent: readonly RecentStop[], nowMs: number): Html {
  const rows = recent.map(
    ({ target, by, reason, timeMs, ended }) => html`<li><bdi>${target.kind} ${target.id}</bdi>
<p>${spanWords(nowMs - timeMs)} ago (${clockTime(timeMs)}) by <bdi>${byWords(by)}</bdi>: <bdi>${reason}</bdi></p>
<p class="small">${ended.length === 0 ? 'Nothing of it ran.' : `Ended ${count(ended.length, 'exchange')}: ${ended.slice(0, 10).join(', ')}`}</p></li>`,
  );
  return html`<section aria-labelledby="recent"><h2 id="recent">What was stopped lately</h2>
<div id="recent-list" data-live-part>${
    rows.length === 0 ? html`<p>Nothing was stopped.</p>` : html`<ul class="tickets">${rows}</ul>`
  }</div></section>`;
}

function byWords(by: StoppedBy): string {
  return 'osUser' in by ? stopperName(by) : `${by.name} (${stopperName(by)})`;
}
