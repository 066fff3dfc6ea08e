import { sanitiseLine } from '../terminal/sanitise.ts';

/**
 * Longer than any value whose characters are all shown as they are. A name for each character that hides is many times
 * as long, and what is longer than a receiver takes it refuses whole: then nobody would be told.
 */
export const plainMaxChars = 1_500;

/**
 * A value that anybody may have written, as text of which no chat and no mail program makes more. Shapes put it only
 * where no markup is read; this is for programs that look for links and mentions all the same: on one line, without what
 * is not seen, with nothing in it that looks like an address of the web or of a person, and bounded.
 */
export function plain(value: string): string {
  const shown = sanitiseLine(value)
    .replaceAll('@', '\uff20')
    .replaceAll('<', '\u2039')
    .replaceAll('>', '\u203a')
    .replaceAll('//', '\u2044\u2044')
    .replaceAll(dotWithinName, '\u2024');
  return shown.length <= plainMaxChars ? shown : `${shown.slice(0, plainMaxChars - 1).toWellFormed()}…`;
}

/** `evil.example`, and `3.5-large` with it: which ends are names of the web changes every month. */
const dotWithinName = /(?<=[\p{L}\p{N}_-])[.\u3002\uff0e\uff61](?=[\p{L}\p{N}_-])/gu;
