import type { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import type { KeyedHash } from '../keyed-hash.ts';
import { pseudonymOf } from '../transcript/shown-person.ts';
import { type LookingDependencies, lookingCommand, recordLook, tellingUsage } from './looking.ts';

/** `issuers` are those of the configuration. */
export type PseudonymDependencies = { keyedHash(): KeyedHash; issuers(): readonly string[] };

/** `skilltape pseudonym <subject>`: under which pseudonym a person stands in the index. */
export function pseudonymCommand(looking: LookingDependencies, dependencies: PseudonymDependencies): Command {
  return lookingCommand('pseudonym', looking, { exitCodes: '0 told, 2 the command line is wrong.' })
    .description('tell under which pseudonym a person stands in the index, where policy shows no names')
    .argument('<subject>', 'the subject of the person in the tokens of the identity provider')
    .option('--issuer <url>', 'the issuer of the tokens; needed where more than one is configured')
    .action((subject: string, flags: { issuer?: string; json?: true; why?: string }) =>
      tellingUsage(looking, async () => {
        const issuer = issuerOf(flags.issuer, dependencies.issuers());
        recordLook(looking, 'pseudonym', `subject: ${subject}\nissuer: ${issuer}`, flags.why);
        const pseudonym = pseudonymOf(dependencies.keyedHash(), { issuer, subject });
        looking.write(flags.json ? `${JSON.stringify({ pseudonym })}\n` : `${pseudonym}\n`);
      }),
    );
}

function issuerOf(given: string | undefined, known: readonly string[]): string {
  const issuer = given ?? (known.length === 1 ? known[0] : undefined);
  if (issuer !== undefined && known.includes(issuer)) return issuer;
  const what = issuer === undefined ? '--issuer is missing' : `--issuer "${issuer}" is not configured`;
  throw new SkilltapeError('usage', what, { remedy: `write one of ${known.join(', ')}` });
}
