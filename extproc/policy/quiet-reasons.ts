/**
 * Keeps what a rule reads in `input.excerpt` out of the reasons that it gives: they go to callers, logs and records that
 * can be read (inv. 6).
 */
import type { RequestDecision } from './decision.ts';
import type { RequestInput } from './input.ts';

/** Shorter ones tell nothing. */
const wordMinChars = 3;
const word = new RegExp(`[\\p{L}\\p{N}]{${wordMinChars},}`, 'gu');

/** Every word of a text once, in lower case. */
export function wordsIn(text: string): string[] {
  return [...new Set(text.toLowerCase().match(word) ?? [])];
}

const unsaid = 'A rule of the policy applies.';

/**
 * A message is replaced when it has a word out of the excerpt that stands neither in the policy's own files nor in the
 * rest of the document. @param ownWords words of the files
 */
export function quietReasons(
  decision: RequestDecision,
  { excerpt, ...rest }: RequestInput,
  ownWords: ReadonlySet<string>,
): RequestDecision {
  const { observed, lifted } = decision;
  const hasReasons = decision.reasons.length > 0 || observed !== undefined || lifted !== undefined;
  if (excerpt.text === '' || !hasReasons) return decision;
  const text = excerpt.text.toLowerCase();
  const known = new Set(wordsIn(JSON.stringify(rest)));
  const repeats = (message: string) =>
    wordsIn(message).some((said) => !ownWords.has(said) && !known.has(said) && text.includes(said));
  const quiet = <Reason extends { message: string }>(reasons: readonly Reason[]): Reason[] =>
    reasons.map((reason) => (repeats(reason.message) ? { ...reason, message: unsaid } : reason));
  return {
    ...decision,
    reasons: quiet(decision.reasons),
    ...(observed !== undefined && { observed: { ...observed, reasons: quiet(observed.reasons) } }),
    ...(lifted !== undefined && { lifted: { ...lifted, reasons: quiet(lifted.reasons) } }),
  };
}
