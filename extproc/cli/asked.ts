import { SkilltapeError } from '../errors.ts';
import type { Asked, PersonName } from '../retention/parts.ts';
import type { LookingDependencies } from './looking.ts';

const reasonMaxChars = 2_000;

/** Who does it, as the system knows them, and their reason, masked as looks are. */
export function askedBy({ operator, maskQuery }: LookingDependencies, reason: string): Asked {
  const { osUser, uid, sudoUser } = operator;
  const by = `${osUser} (uid ${uid})${sudoUser === undefined ? '' : `, sudo from ${sudoUser}`}`;
  return { by, reason: maskQuery(reason).slice(0, reasonMaxChars) };
}

/** What `--person ISSUER SUBJECT` was given. Throws SkilltapeError `usage`. */
export function personGiven(words: readonly string[]): PersonName {
  const [issuer, subject] = words;
  if (words.length === 2 && issuer && subject) return { issuer, subject };
  throw new SkilltapeError('usage', '--person takes the issuer and the subject of the tokens', {
    remedy: 'write for example --person https://id.example.com u-1234',
  });
}
