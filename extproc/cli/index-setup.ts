import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { SkilltapeError } from '../errors.ts';
import { type CredentialFiles, writerOptions } from '../index/elasticsearch/options.ts';
import { sanitisedJson } from '../terminal/sanitise.ts';
import { indexCheckCommand, type Output } from './index-check.ts';
import { exitUsage } from './looking.ts';

type Flags = { apiKeyFile?: string; usernameFile?: string; passwordFile?: string; json?: true };

const exitNotDone = 1;

/** `skilltape index`: what an operator does with the index before anything is shipped to it. */
export function indexCommand(config: () => Config, output: Output): Command {
  const index = new Command('index').description('set up and check the index that is searched');
  for (const command of [indexSetupCommand(config, output), indexCheckCommand(config, output)]) {
    // Left alone, commander ends with 1 for a mistake on the command line.
    index.addCommand(command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage)));
  }
  return index;
}

function indexSetupCommand(config: () => Config, { write }: Output): Command {
  return new Command('setup')
    .description('put the index template into Elasticsearch, over one that is there')
    .option('--api-key-file <file>', 'API key that may do it, as Elasticsearch encodes it; else the configured one')
    .option('--username-file <file>', 'user that may do it, in place of an API key')
    .option('--password-file <file>', 'password of that user')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The credential needs the cluster privilege manage_index_templates (role skilltape_setup), for this command alone.
The template holds for indices that are made from then on.

Exit codes: 0 done, ${exitNotDone} the cluster cannot be reached or refused, ${exitUsage} something given is wrong.`,
    )
    .action((flags: Flags) => setUp(config, write, flags));
}

async function setUp(config: () => Config, write: Output['write'], flags: Flags): Promise<void> {
  const given = credentialOf(flags);
  const { index } = config();
  if (index.kind === 'sqlite') {
    const told = 'Nothing to set up: the embedded index is made by itself.';
    write(`${flags.json === undefined ? told : sanitisedJson({ kind: 'sqlite' })}\n`);
    return;
  }
  const options = writerOptions(index);
  // Loaded only where it is needed: its client takes longer to load than most commands to run.
  const { setUpElasticsearch } = await import('../index/elasticsearch/open.ts');
  const done = await setUpElasticsearch(given === null ? options : { ...options, credential: given });
  const told = `The index template ${done.template} is in place, version ${done.version}.`;
  write(`${flags.json === undefined ? told : sanitisedJson({ kind: 'elasticsearch', ...done })}\n`);
}

/** Null when none is given. */
function credentialOf({ apiKeyFile, usernameFile, passwordFile }: Flags): CredentialFiles | null {
  const isUserGiven = usernameFile !== undefined || passwordFile !== undefined;
  if (apiKeyFile === undefined && !isUserGiven) return null;
  if (apiKeyFile !== undefined && !isUserGiven) return { apiKeyFile };
  if (apiKeyFile === undefined && usernameFile !== undefined && passwordFile !== undefined)
    return { usernameFile, passwordFile };
  throw new SkilltapeError('usage', 'the credential is not whole, or there are two', {
    remedy: 'give --api-key-file, or --username-file together with --password-file, or none of them',
  });
}
