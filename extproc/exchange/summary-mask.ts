import { randomBytes } from 'node:crypto';
import { capText } from '../masking/cap-text.ts';
import { findingTypes } from '../masking/finding.ts';
import { deriveMasked, type Masked } from '../masking/masked.ts';
import { Masker } from '../masking/masker.ts';
import { usualTreatment } from '../masking/treatment.ts';
import type { TicketSummary } from './approval-desk.ts';

/** What whoever decides is shown of a prompt. */
const excerptMaxChars = 4_000;

/** What no caller writes, and who asks, by a verified token. */
const ours = new Set<string | number>(['connection', 'person', 'session', 'endpoint', 'policyRevision', 'leftOut']);

/** Values are named by their type alone: whoever decides is to know that there is one, and not to follow it. */
const treatment = { ...usualTreatment(), plain: new Set(findingTypes) };

const masker = new Masker({ key: randomBytes(32) });

/** Loaded where a held request is summed up, and nowhere else: the masker is large. */
export function maskedSummary(summary: TicketSummary): Masked<TicketSummary> {
  const exempt = ([field]: readonly (string | number)[]) => field !== undefined && ours.has(field);
  const { value } = masker.json(summary, { scope: 'approval', treatment, exempt });
  return deriveMasked(value, cutShort);
}

function cutShort(masked: TicketSummary): TicketSummary {
  const { excerpt, leftOut } = masked;
  const shown = capText(excerpt, { cut: false, maxChars: excerptMaxChars });
  const chars = leftOut.chars + Math.max(0, excerpt.length - shown.length);
  return { ...masked, excerpt: shown, leftOut: { ...leftOut, chars } };
}
