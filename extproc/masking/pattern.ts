import { SkilltapeError } from '../errors.ts';

/** Longest repeat a rule may ask for: it bounds the work one trigger can cause. */
const repeatMax = 300;

/**
 * Says what in a pattern could take more than bounded time: unbounded repeats, a repeat of a group (the product of two
 * bounds), backreferences and look-behind. An empty list means the pattern is fit for `sticky`.
 */
export function patternFaults(source: string): string[] {
  const faults: string[] = [];
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const char = source.charAt(i);
    if (char === '\\') {
      if (!inClass && /[1-9k]/.test(source.charAt(i + 1))) faults.push(`backreference at ${i}`);
      i++;
    } else if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '*' || char === '+') faults.push(`unbounded repeat at ${i}`);
    else if (char === '{') {
      const repeat = /^\{(\d{1,4})(?:,(\d{1,4}))?\}/.exec(source.slice(i, i + 12));
      if (repeat === null) faults.push(`unbounded repeat at ${i}`);
      else if (Number(repeat[2] ?? repeat[1]) > repeatMax) faults.push(`repeat above ${repeatMax} at ${i}`);
      if (source.charAt(i - 1) === ')' && source.charAt(i - 2) !== '\\') faults.push(`repeated group at ${i}`);
    } else if (char === '(' && source.startsWith('(?<', i)) faults.push(`look-behind or named group at ${i}`);
  }
  return faults;
}

/** The only way a pattern comes into this folder: bounded, and tried at one place of the text. */
export function sticky(source: string, flags: '' | 'i' = ''): RegExp {
  const faults = patternFaults(source);
  if (faults.length > 0) throw new SkilltapeError('internal', `masking pattern ${source}: ${faults.join(', ')}`);
  return new RegExp(source, `y${flags}`);
}

/** End of the match at `at`, or -1. */
export function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

export function fitsWhole(pattern: RegExp, text: string): boolean {
  return matchEnd(pattern, text, 0) === text.length;
}

/** The source of a pattern that matches just this string. */
export function literalSource(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** Finds any of some fixed strings, longest first; `words` asks for word boundaries at both sides. */
export function anyLiteral(
  literals: readonly string[],
  options: { words?: boolean; ignoreCase?: boolean } = {},
): RegExp {
  const sorted = [...literals].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const source = sorted.map(literalSource).join('|');
  return new RegExp(options.words ? `\\b(?:${source})\\b` : source, options.ignoreCase ? 'gi' : 'g');
}
