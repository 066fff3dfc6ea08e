/** A repeat in a pattern that has no upper bound. */
export type Repeat = { at: number; text: string };

/**
 * The repeats without bound in a pattern of RE2. A search for all matches is linear only where a match has a greatest
 * length: behind each place where one could begin, no more than that is read (inv. 11).
 */
export function unboundedRepeats(pattern: string): Repeat[] {
  const found: Repeat[] = [];
  for (let at = 0; at < pattern.length; ) {
    const char = pattern.charAt(at);
    if (char === '\\') at = escapeEnd(pattern, at);
    else if (char === '[') at = classEnd(pattern, at);
    else {
      const open = char === '{' ? /^\{\d{1,9},\}/.exec(pattern.slice(at, at + 12))?.[0] : undefined;
      const text = char === '*' || char === '+' ? char : open;
      if (text !== undefined) found.push({ at, text });
      at += text?.length ?? 1;
    }
  }
  return found;
}

/** Behind an escape; `\Q` quotes what follows to `\E`. */
function escapeEnd(pattern: string, at: number): number {
  if (pattern.charAt(at + 1) !== 'Q') return at + 2;
  const end = pattern.indexOf('\\E', at + 2);
  return end === -1 ? pattern.length : end + 2;
}

/** Behind a class of characters; a `]` at its beginning, and those of `[:alpha:]`, do not end it. */
function classEnd(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern.charAt(at) === '^') at++;
  if (pattern.charAt(at) === ']') at++;
  while (at < pattern.length && pattern.charAt(at) !== ']') {
    const named = pattern.startsWith('[:', at) ? pattern.indexOf(':]', at) : -1;
    if (named !== -1) at = named + 2;
    else at += pattern.charAt(at) === '\\' ? 2 : 1;
  }
  return at + 1;
}
