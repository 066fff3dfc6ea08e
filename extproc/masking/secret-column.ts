import { isAssignedSecret } from './assignment.ts';
import { type Detector, tablesOf } from './detector.ts';
import { isSensitiveKey } from './sensitive-key.ts';

/** In a cell nothing but its column says what it is, and a password need not look like one. */
const valueMax = 256;

/** Cells of tables under a name such as `password`. */
export const secretColumnDetector: Detector = {
  id: 'secret-column',
  literals: {
    strings: ['password', 'passwort', 'passwd', 'pwd', 'secret', 'token', 'api_key', 'apikey', 'api key'],
    ignoreCase: true,
  },
  detect(input, out) {
    const { text } = input;
    // a table has a second line, and one that is read has it soon
    if (!text.includes('\n')) return;
    for (const { start, end, name } of tablesOf(input).cellsUnder(isSensitiveKey)) {
      if (end - start > valueMax || !isAssignedSecret(name, text.slice(start, end), true)) continue;
      out.push({ type: 'SECRET', rule: 'secret-column', rank: 'assignment', start, end, score: 0.75 });
    }
  },
};
