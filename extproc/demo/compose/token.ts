/** Prints a token of the demo's identity provider for one of its people: `node token.ts alice`. */
import { SkilltapeError } from '../../errors.ts';
import { people } from '../people.ts';
import { fakesCaFile, userClientSecret } from './fakes.ts';
import { fetchToken } from './fetch-token.ts';
import { composePlaces, issuerOf } from './places.ts';

const [subject = 'alice'] = process.argv.slice(2);
try {
  if (!people.some((person) => person.subject === subject)) {
    throw new SkilltapeError('usage', `the demo knows ${people.map((person) => person.subject).join(', ')}`);
  }
  const { root } = composePlaces;
  const options = { issuer: issuerOf(composePlaces), caFile: fakesCaFile(root), secret: userClientSecret(root) };
  process.stdout.write(`${await fetchToken({ ...options, subject })}\n`);
} catch (thrown) {
  process.stderr.write(`${SkilltapeError.from(thrown).message}\n`);
  process.exitCode = 2;
}
