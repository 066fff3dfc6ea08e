import type { Fault } from './fault.ts';
import { isSection, valueAt } from './section.ts';

/** Files that `index.elasticsearch` names. */
export const elasticsearchFiles = [
  'caFile',
  'apiKeyFile',
  'usernameFile',
  'passwordFile',
  'readApiKeyFile',
  'readUsernameFile',
  'readPasswordFile',
  'remaskApiKeyFile',
  'remaskUsernameFile',
  'remaskPasswordFile',
  'retentionApiKeyFile',
  'retentionUsernameFile',
  'retentionPasswordFile',
] as const;

/**
 * Elasticsearch refuses a whole search when one text is longer than `index.highlight.max_analyzed_offset` (1,000,000)
 * and the asker, as Kibana does, sets no limit of its own.
 */
const elasticsearchTextMaxChars = 900_000;

/** What must fit together in the section `index`. */
export function checkIndex(data: unknown): Fault[] {
  const isElasticsearch = valueAt(data, 'index.kind') === 'elasticsearch';
  const section = valueAt(data, 'index.elasticsearch');
  if (!isElasticsearch) return section === undefined ? [] : [unusedSection];
  const textMaxChars = valueAt(data, 'index.textMaxChars');
  return [
    ...(typeof textMaxChars === 'number' && textMaxChars > elasticsearchTextMaxChars ? [longText(textMaxChars)] : []),
    ...(section === undefined ? [missingSection] : []),
    ...(isSection(section) ? checkCredentials(section) : []),
  ];
}

const unusedSection: Fault = {
  key: 'index.elasticsearch',
  message: 'is given, but index.kind is sqlite',
  remedy: 'set index.kind to elasticsearch or take the section out',
};

const missingSection: Fault = {
  key: 'index.elasticsearch',
  message: 'is missing, but index.kind is elasticsearch',
  remedy: 'name the nodes of the cluster and a credential there',
};

function longText(value: number): Fault {
  return {
    key: 'index.textMaxChars',
    message: `is ${value}, but Elasticsearch marks matches in at most ${elasticsearchTextMaxChars} characters: with longer texts the searches of Kibana fail`,
    remedy: `lower it to ${elasticsearchTextMaxChars} or less`,
  };
}

function checkCredentials(section: object): Fault[] {
  const writing = checkCredential(section, 'apiKeyFile', 'usernameFile', 'passwordFile');
  const reading = checkCredential(section, 'readApiKeyFile', 'readUsernameFile', 'readPasswordFile');
  const remasking = checkCredential(section, 'remaskApiKeyFile', 'remaskUsernameFile', 'remaskPasswordFile');
  const deleting = checkCredential(section, 'retentionApiKeyFile', 'retentionUsernameFile', 'retentionPasswordFile');
  const hasWriting = hasOneOf(section, 'apiKeyFile', 'usernameFile', 'passwordFile');
  const isEnough = hasWriting || (isLocal(section) && !hasReading(section));
  return [...writing, ...reading, ...remasking, ...deleting, ...(isEnough ? [] : [noCredential])];
}

function hasReading(section: object): boolean {
  return hasOneOf(section, 'readApiKeyFile', 'readUsernameFile', 'readPasswordFile');
}

const noCredential: Fault = {
  key: 'index.elasticsearch',
  message: 'names no credential for shipping',
  remedy: 'give apiKeyFile, or usernameFile and passwordFile',
};

/** An API key, or a user with a password, and not both. */
function checkCredential(section: object, apiKey: string, username: string, password: string): Fault[] {
  const has = (name: string): boolean => Object.hasOwn(section, name);
  const faults: Fault[] = [];
  if (has(apiKey) && (has(username) || has(password)))
    faults.push({
      key: `index.elasticsearch.${apiKey}`,
      message: `is given beside ${has(username) ? username : password}`,
      remedy: 'give either the API key or the user with the password',
    });
  else if (has(username) !== has(password)) {
    const [given, missing] = has(username) ? [username, password] : [password, username];
    faults.push({
      key: `index.elasticsearch.${given}`,
      message: `is given without ${missing}`,
      remedy: `give ${missing} too`,
    });
  }
  return faults;
}

function hasOneOf(section: object, ...names: readonly string[]): boolean {
  return names.some((name) => Object.hasOwn(section, name));
}

/** A cluster of this machine alone may have no users: a demo or a test. */
function isLocal(section: object): boolean {
  const nodes: unknown = Reflect.get(section, 'nodes');
  return Array.isArray(nodes) && nodes.every((node) => typeof node === 'string' && node.startsWith('http:'));
}
