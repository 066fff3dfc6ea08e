import { SkilltapeError } from '../../errors.ts';

/** Where the credential stands; the files are read when the client is made, and again after the server refused it. */
export type CredentialFiles =
  | { apiKeyFile: string; usernameFile?: never; passwordFile?: never }
  | { usernameFile: string; passwordFile: string; apiKeyFile?: never };

/**
 * How Elasticsearch is reached and how the indices are laid out.
 * @property nodes URLs; plain http only to this machine
 * @property caFile what signed the certificates of the nodes, PEM; undefined: the system's authorities
 * @property credential null: none is sent
 */
export type ElasticsearchOptions = {
  nodes: readonly string[];
  caFile: string | undefined;
  credential: CredentialFiles | null;
  prefix: string;
  numberOfReplicas: number;
  refreshIntervalMs: number;
  requestTimeoutMs: number;
};

/** The section `index` of the configuration, as far as it speaks of Elasticsearch. */
export type ElasticsearchSection = {
  readonly elasticsearch?:
    | {
        readonly nodes: readonly string[];
        readonly caFile?: string | undefined;
        readonly apiKeyFile?: string | undefined;
        readonly usernameFile?: string | undefined;
        readonly passwordFile?: string | undefined;
        readonly readApiKeyFile?: string | undefined;
        readonly readUsernameFile?: string | undefined;
        readonly readPasswordFile?: string | undefined;
        readonly remaskApiKeyFile?: string | undefined;
        readonly remaskUsernameFile?: string | undefined;
        readonly remaskPasswordFile?: string | undefined;
        readonly retentionApiKeyFile?: string | undefined;
        readonly retentionUsernameFile?: string | undefined;
        readonly retentionPasswordFile?: string | undefined;
        readonly prefix: string;
        readonly numberOfReplicas: number;
        readonly refreshIntervalMs: number;
        readonly requestTimeoutMs: number;
      }
    | undefined;
};

/** For shipping. Throws SkilltapeError `config_invalid` when the configuration names no Elasticsearch. */
export function writerOptions(index: ElasticsearchSection): ElasticsearchOptions {
  const section = sectionOf(index);
  return { ...common(section), credential: credentialOf(section) };
}

/** For searching: the credential that may only read, or else the one for shipping. */
export function readerOptions(index: ElasticsearchSection): ElasticsearchOptions {
  const section = sectionOf(index);
  const { readApiKeyFile, readUsernameFile, readPasswordFile } = section;
  const reading = credentialOf({
    apiKeyFile: readApiKeyFile,
    usernameFile: readUsernameFile,
    passwordFile: readPasswordFile,
  });
  return { ...common(section), credential: reading ?? credentialOf(section) };
}

/** For masking again, which reads and writes: a credential of its own, or else the one for shipping. */
export function remaskOptions(index: ElasticsearchSection): ElasticsearchOptions {
  const section = sectionOf(index);
  const { remaskApiKeyFile, remaskUsernameFile, remaskPasswordFile } = section;
  const remasking = credentialOf({
    apiKeyFile: remaskApiKeyFile,
    usernameFile: remaskUsernameFile,
    passwordFile: remaskPasswordFile,
  });
  return { ...common(section), credential: remasking ?? credentialOf(section) };
}

/** For retention and erasing: a credential of its own, or else the one for shipping. */
export function retentionOptions(index: ElasticsearchSection): ElasticsearchOptions {
  const section = sectionOf(index);
  const { retentionApiKeyFile, retentionUsernameFile, retentionPasswordFile } = section;
  const deleting = credentialOf({
    apiKeyFile: retentionApiKeyFile,
    usernameFile: retentionUsernameFile,
    passwordFile: retentionPasswordFile,
  });
  return { ...common(section), credential: deleting ?? credentialOf(section) };
}

type Section = NonNullable<ElasticsearchSection['elasticsearch']>;

function sectionOf({ elasticsearch }: ElasticsearchSection): Section {
  if (elasticsearch !== undefined) return elasticsearch;
  throw new SkilltapeError('config_invalid', 'index.elasticsearch is not configured');
}

function common(section: Section): Omit<ElasticsearchOptions, 'credential'> {
  const { nodes, caFile, prefix, numberOfReplicas, refreshIntervalMs, requestTimeoutMs } = section;
  return { nodes, caFile, prefix, numberOfReplicas, refreshIntervalMs, requestTimeoutMs };
}

function credentialOf(
  files: Pick<Section, 'apiKeyFile' | 'usernameFile' | 'passwordFile'>,
): ElasticsearchOptions['credential'] {
  const { apiKeyFile, usernameFile, passwordFile } = files;
  if (apiKeyFile !== undefined) return { apiKeyFile };
  if (usernameFile !== undefined && passwordFile !== undefined) return { usernameFile, passwordFile };
  return null;
}
