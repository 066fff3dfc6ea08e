import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { cachedTool, placeInCache } from './cache.ts';
import { fileSha256 } from './checksum.ts';
import type { FetchContext } from './fetch.ts';
import { findJava } from './java.ts';
import { fetchMavenArtifact } from './maven.ts';
import type { ResolveOptions } from './resolve.ts';
import { fetchContext, missing } from './resolve.ts';
import { unzip } from './unzip.ts';
import { elasticsearchArtifact, elasticsearchPin } from './versions.ts';

/** A server that runs already, or what it takes to start one: the unpacked distribution and a Java home. */
export type ElasticsearchTool =
  | { kind: 'server'; url: string }
  | { kind: 'distribution'; home: string; javaHome: string; source: 'cache' | 'fetched'; version: string };

/**
 * @property sha256 of the zip; by default the pinned one
 */
export type ElasticsearchOptions = ResolveOptions & { sha256?: string };

const pin = elasticsearchPin;
const { version } = pin;
const titled = `${pin.title} ${version}`;

/**
 * Finds Elasticsearch: the server that `ELASTICSEARCH_URL` names, else the tool cache, else fetched into it.
 * @throws SkilltapeError `tool_missing`
 */
export async function resolveElasticsearch(options: ElasticsearchOptions): Promise<ElasticsearchTool> {
  const { env } = options;
  const named = env[pin.variable];
  if (named !== undefined && named !== '') return { kind: 'server', url: serverUrl(named) };
  // Before the download: 100 MB that nothing can run help nobody.
  const java = await findJava(env, pin.javaMin);
  if (java.kind === 'none') throw refused(`it runs on Java ${pin.javaMin} or newer, which was not found (${java.why})`);
  const home = cachedTool(env, 'elasticsearch', version);
  const found = { kind: 'distribution', home, javaHome: java.home, version } as const;
  if (await isWhole(home)) return { ...found, source: 'cache' };
  const context = fetchContext(options);
  try {
    await placeInCache(env, home, async (folder) => {
      const made = await fetchDistribution(folder, context, options);
      // Half a folder, from whatever damaged it, would stand in the way; a whole one is another process's work. It goes in one
      // step, too: files taken out one by one would be those of the folder that another process puts there meanwhile.
      if (!(await isWhole(home))) await rename(home, join(folder, 'damaged')).catch(unlessGone);
      return made;
    });
  } catch (error) {
    if (error instanceof SkilltapeError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw refused(`none was found, and fetching it failed (the tool cache cannot be written: ${why})`);
  }
  context.progress(`${titled} is in ${home}`);
  return { ...found, source: 'fetched' };
}

function serverUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return text.replace(/\/+$/, '');
  throw missing(
    pin,
    `${pin.variable} does not hold an http or https URL`,
    `set ${pin.variable} to the URL of a running server, or unset it to have one found or fetched`,
  );
}

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** The folder is moved into the cache in one step, so what begins and ends a start stands for all of it. */
async function isWhole(home: string): Promise<boolean> {
  const parts = [join('bin', 'elasticsearch'), join('lib', `elasticsearch-${version}.jar`)];
  const found = await Promise.all(parts.map((part) => stat(join(home, part)).catch(() => null)));
  return found.every((file) => file?.isFile() === true);
}

async function fetchDistribution(
  folder: string,
  context: FetchContext,
  { sha256: expected = elasticsearchArtifact.sha256 }: ElasticsearchOptions,
): Promise<string> {
  const fetched = await fetchMavenArtifact(elasticsearchArtifact, titled, folder, context);
  if (fetched.kind === 'failed') throw refused(`none was found, and fetching it failed (${fetched.why})`);
  const sha256 = await fileSha256(fetched.path);
  if (sha256 !== expected) throw refused(`the downloaded zip has the SHA-256 ${sha256} instead of ${expected}`);
  context.progress(`unpacking ${titled}`);
  const home = join(folder, `elasticsearch-${version}`);
  const problem = await unzip(fetched.path, folder).then(
    () => null,
    (error: Error) => error.message,
  );
  if (problem !== null) throw refused(`the downloaded zip cannot be unpacked: ${problem}`);
  if (!(await isWhole(home))) throw refused('the downloaded zip is not the distribution');
  return home;
}

function refused(how: string): SkilltapeError {
  const remedy =
    `set ${pin.variable} to the URL of a running server, or provide Java ${pin.javaMin} or newer ` +
    '(ES_JAVA_HOME, JAVA_HOME or PATH) and the Maven client (mvn), or a repository in MAVEN_REPOSITORY_URL';
  return missing(pin, how, remedy);
}
