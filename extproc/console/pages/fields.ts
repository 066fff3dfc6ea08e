/** Fields that more than one form has. */
import { type Html, html } from './html.ts';

export const reasonMaxChars = 500;

/** @param told what becomes of it, as a sentence */
export function reasonField(id: string, told: string, typed = ''): Html {
  return html`<p><label for="${id}-reason">Reason</label>
<span class="hint" id="${id}-hint">In words that somebody else understands later. ${told}</span>
<textarea id="${id}-reason" name="reason" rows="3" maxlength="${reasonMaxChars}" required aria-describedby="${id}-hint">${typed}</textarea></p>`;
}
