import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { SkilltapeError } from '../errors.ts';
import { kibanaObjects } from '../kibana/objects.ts';
import { kibanaOptions } from '../kibana/options.ts';
import { toNdjson } from '../kibana/saved-object.ts';
import { authorizationOf, importIntoKibana, trustOf } from './kibana-import.ts';
import { exitUsage } from './looking.ts';

type Output = { write(text: string): void; writeError(text: string): void };

type ObjectFlags = { prefix: string; consoleUrl?: string };
type ExportFlags = ObjectFlags & { out?: string };
type ImportFlags = ObjectFlags & {
  url: string;
  space?: string;
  caFile?: string;
  apiKeyFile?: string;
  usernameFile?: string;
  passwordFile?: string;
  wait: string;
};

const waitMaxSeconds = 3_600;
const retryIntervalMs = 2_000;

/** `skilltape kibana`: data view, searches and dashboard, as a file or straight into Kibana. */
export function kibanaCommand(output: Output): Command {
  const kibana = new Command('kibana').description(
    'the data view, searches and dashboard that Kibana shows traffic with',
  );
  const objects = (name: string): Command =>
    kibana
      .command(name)
      .option('--prefix <name>', 'begin of the names of the indices (index.elasticsearch.prefix)', 'skilltape')
      .option('--console-url <url>', 'base URL of the console; ids become links to it')
      .addHelpText('after', '\nExit codes: 0 done, 1 Kibana did not get ready, 2 something given is wrong.')
      // Left alone, commander ends with 1 for a mistake on the command line.
      .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage));
  objects('export')
    .description('print the objects as NDJSON, as Stack Management > Saved objects > Import takes it')
    .option('--out <file>', 'write them into this file instead')
    .action((flags: ExportFlags) => exportObjects(flags, output));
  objects('import')
    .description('put the objects into Kibana, over those of an earlier import; waits until Kibana is ready')
    .requiredOption('--url <url>', 'of Kibana, such as https://kibana.example.com:5601')
    .option('--space <id>', 'space of Kibana; else the default one')
    .option('--ca-file <file>', "authority that signed Kibana's certificate, PEM")
    .option('--api-key-file <file>', 'API key, as Elasticsearch encodes it')
    .option('--username-file <file>', 'user, in place of an API key')
    .option('--password-file <file>', 'password of that user')
    .option('--wait <seconds>', `how long a Kibana that is not ready is waited for, 0 to ${waitMaxSeconds}`, '300')
    .action((flags: ImportFlags) => importObjects(flags, output));
  return kibana;
}

function exportObjects(flags: ExportFlags, output: Output): void {
  const text = ndjsonOf(flags, output);
  if (flags.out === undefined) {
    output.write(text);
    return;
  }
  try {
    writeFileSync(flags.out, text);
  } catch (thrown) {
    const { message } = SkilltapeError.from(thrown);
    const remedy = 'name a file in a folder that is there and that you may write to';
    throw new SkilltapeError('usage', `--out cannot be written: ${message}`, { cause: thrown, remedy });
  }
}

async function importObjects(flags: ImportFlags, output: Output): Promise<void> {
  const { url, space, wait } = flags;
  if (space !== undefined && !/^[a-z0-9_-]{1,255}$/.test(space)) {
    const remedy = 'give the identifier of the space as its URL has it behind /s/';
    throw new SkilltapeError('usage', `--space ${JSON.stringify(space)} is not the identifier of a space`, { remedy });
  }
  if (!/^\d{1,4}$/.test(wait) || Number(wait) > waitMaxSeconds) {
    throw new SkilltapeError('usage', `--wait ${JSON.stringify(wait)} is no number of seconds`, {
      remedy: `give a whole number from 0 to ${waitMaxSeconds}`,
    });
  }
  const target = {
    url: kibanaUrl(url),
    space: space ?? null,
    authorization: authorizationOf(credentialOf(flags)),
    ca: trustOf(flags.caFile),
    waitMs: Number(wait) * 1_000,
    retryIntervalMs,
  };
  const count = await importIntoKibana(ndjsonOf(flags, output), target);
  output.write(`${count} objects are in Kibana.\n`);
}

function ndjsonOf(flags: ObjectFlags, { writeError }: Output): string {
  const options = kibanaOptions(flags);
  if (options.consoleUrl === null) {
    writeError('Without --console-url the ids of exchanges and sessions are no links.\n');
  }
  return toNdjson(kibanaObjects(options));
}

/** A credential goes over plain http to this machine only. */
function kibanaUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLocal = url !== null && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const isAllowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal);
  if (url === null || !isAllowed || url.username !== '' || url.password !== '' || /[?#]/.test(text)) {
    throw new SkilltapeError('usage', '--url is no address of Kibana', {
      remedy: 'give an https URL without user and query; http only for this machine',
    });
  }
  return url.href.replace(/\/+$/, '');
}

function credentialOf({ apiKeyFile, usernameFile, passwordFile }: ImportFlags): Parameters<typeof authorizationOf>[0] {
  const isApiKeyAlone = usernameFile === undefined && passwordFile === undefined;
  if (apiKeyFile !== undefined && isApiKeyAlone) return { apiKeyFile };
  if (apiKeyFile === undefined && usernameFile !== undefined && passwordFile !== undefined) {
    return { usernameFile, passwordFile };
  }
  throw new SkilltapeError('usage', 'a credential for Kibana is needed', {
    remedy: 'give --api-key-file, or --username-file together with --password-file',
  });
}
