import { randomBytes } from 'node:crypto';
import { capText } from '../masking/cap-text.ts';
import { findingTypes } from '../masking/finding.ts';
import { deriveMasked } from '../masking/masked.ts';
import { Masker } from '../masking/masker.ts';
import { builtInDetection, type OwnDetection } from '../masking/own-detection.ts';
import { usualTreatment } from '../masking/treatment.ts';
import type { TicketSummary } from './approval-desk.ts';
import type { SummaryMask } from './held-body-summary.ts';

/** What whoever decides is shown of a prompt. */
const excerptMaxChars = 4_000;

/** What no caller writes, and who asks, by a verified token. */
const ours = new Set<string | number>(['connection', 'person', 'session', 'endpoint', 'policyRevision', 'leftOut']);

const masker = new Masker({ key: randomBytes(32) });

/**
 * Values are named by their type alone: whoever decides is to know that there is one, and not to follow it. Loaded where
 * a held request is summed up, and nowhere else: the masker is large.
 */
export function summaryMaskWith(detection: OwnDetection): SummaryMask {
  const treatment = { ...usualTreatment(detection), plain: new Set([...findingTypes, ...detection.types]) };
  return (summary) => {
    const exempt = ([field]: readonly (string | number)[]) => field !== undefined && ours.has(field);
    const { value } = masker.json(summary, { scope: 'approval', treatment, exempt });
    return deriveMasked(value, cutShort);
  };
}

/** With the built-in detectors alone. */
export const maskedSummary: SummaryMask = summaryMaskWith(builtInDetection);

function cutShort(masked: TicketSummary): TicketSummary {
  const { excerpt, leftOut } = masked;
  const shown = capText(excerpt, { cut: false, maxChars: excerptMaxChars });
  const chars = leftOut.chars + Math.max(0, excerpt.length - shown.length);
  return { ...masked, excerpt: shown, leftOut: { ...leftOut, chars } };
}
