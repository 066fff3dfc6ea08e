/** Break-glass on the page of incidents: what waits or is in force, and the form to begin it. */
import type { Grant } from '../../grants/grants.ts';
import { accessHeadline, accessStateWords, grantPath, lengthWords } from './access-words.ts';
import { reasonField } from './fields.ts';
import { type Html, html } from './html.ts';
import type { Viewer } from './layout.ts';
import { spanWords } from './words.ts';

/** What the form sends for each connection; none is called so. */
export const everywhere = '*';

/** What somebody typed, so that a refusal does not take it away. */
export type TypedGlass = Readonly<Partial<Record<'connection' | 'issuer' | 'subject' | 'minutes' | 'reason', string>>>;

export type Breaking = { connections: readonly string[]; typed: TypedGlass };

export function breakGlass(glass: readonly Grant[], nowMs: number): Html {
  const rows = glass.map((grant) => {
    const { id, state, wanted, events } = grant;
    const asked = events.find((event) => event.kind === 'asked');
    const left =
      state.kind === 'pending' || state.kind === 'in_force' ? ` ${spanWords(state.untilMs - nowMs)} left.` : '';
    return html`<li><a href="${grantPath(grant)}" aria-describedby="about-${id}"><bdi>${accessHeadline(grant)}</bdi></a>
<p id="about-${id}"><bdi>${accessStateWords(grant)}.</bdi>${left} Asked for ${lengthWords(wanted.forMs)} by <bdi>${asked?.by.name ?? ''}: ${asked?.reason ?? ''}</bdi></p>
<p class="small">${id}</p></li>`;
  });
  return html`<section aria-labelledby="glass"><h2 id="glass">Break-glass (${glass.length})</h2>
<div id="glass-list" data-live-part>${
    rows.length === 0
      ? html`<p>None that you could take back waits or is in force.</p>`
      : html`<ul class="tickets">${rows}</ul>`
  }</div></section>`;
}

export function glassForm(viewer: Viewer, { connections, typed }: Breaking): Html {
  const option = (value: string, words: string) =>
    html`<option value="${value}"${typed.connection === value && html` selected`}>${words}</option>`;
  const options = [...connections.map((name) => option(name, name)), option(everywhere, 'every connection')];
  return html`<section aria-labelledby="break"><h2 id="break">Break glass</h2>
<p class="hint">Lifts the rules of the break-glass list for a short time. Nothing is lifted until somebody else has approved it.</p>
<form method="post" action="/break-glass">
<input type="hidden" name="csrf" value="${viewer.csrfToken}">
<p><label for="glass-connection">Connection</label>
<select id="glass-connection" name="connection" required>${options}</select></p>
<fieldset><legend>For one person, or for everybody where both are empty</legend>
${personField('issuer', 'The issuer of their tokens', typed.issuer)}
${personField('subject', 'The subject of their tokens', typed.subject)}
</fieldset>
<p><label for="glass-minutes">For how many minutes</label>
<input type="number" id="glass-minutes" name="minutes" min="1" max="44640" required value="${typed.minutes ?? '30'}"></p>
${reasonField('glass', 'It is recorded, and told to whoever decides.', typed.reason)}
<p><button class="ask">Ask somebody to approve it</button></p>
</form></section>`;
}

function personField(name: 'issuer' | 'subject', words: string, typed = ''): Html {
  return html`<p><label for="glass-${name}">${words}</label>
<input id="glass-${name}" name="${name}" maxlength="2048" autocomplete="off" value="${typed}"></p>`;
}
