import { sanitiseLine } from '../terminal/sanitise.ts';

/**
 * A value that anybody may have written, as text of which no chat and no mail program makes more. Shapes put it only
 * where no markup is read; this is for programs that look for links and mentions all the same: on one line, without what
 * is not seen, and with nothing in it that looks like an address of the web or of a person.
 */
export function plain(value: string): string {
  return sanitiseLine(value)
    .replaceAll('@', '\uff20')
    .replaceAll('<', '\u2039')
    .replaceAll('>', '\u203a')
    .replaceAll('//', '\u2044\u2044')
    .replaceAll(dotWithinName, '\u2024');
}

/** `evil.example`, and `3.5-large` with it: which ends are names of the web changes every month. */
const dotWithinName = /(?<=[\p{L}\p{N}_-])[.\u3002\uff0e\uff61](?=[\p{L}\p{N}_-])/gu;
