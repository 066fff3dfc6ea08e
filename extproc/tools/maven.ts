import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lastWords, runChild } from './child.ts';
import { download } from './download.ts';
import type { FetchContext, FetchResult } from './fetch.ts';

const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
const mavenTimeoutMs = 15 * 60_000;
const repositoryVariable = 'MAVEN_REPOSITORY_URL';

/** A file in a Maven repository. */
export type MavenArtifact = {
  readonly group: string;
  readonly name: string;
  readonly version: string;
  readonly extension: string;
};

/**
 * Fetches an artifact with the Maven client, which knows the repositories of its user; without one, or when it fails,
 * from the repository that `MAVEN_REPOSITORY_URL` names. Nothing is verified here.
 */
export async function fetchMavenArtifact(
  artifact: MavenArtifact,
  title: string,
  folder: string,
  context: FetchContext,
): Promise<FetchResult> {
  const { group, name, version, extension } = artifact;
  const file = `${name}-${version}.${extension}`;
  const path = join(folder, file);
  const byClient = await withClient(artifact, title, folder, context);
  if (byClient === null && existsSync(path)) return { kind: 'made', path };
  const clientWhy = byClient ?? `mvn left no ${file}`;
  const repository = context.env[repositoryVariable]?.replace(/\/+$/, '') ?? '';
  if (!URL.canParse(repository))
    return { kind: 'failed', why: `${clientWhy}, and ${repositoryVariable} names no repository` };
  const url = `${repository}/${group.replaceAll('.', '/')}/${name}/${version}/${file}`;
  context.progress(`fetching ${title} from ${new URL(url).host} (${clientWhy})`);
  try {
    await download(url, path, context, `fetching ${title}`);
    return { kind: 'made', path };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', why: `${clientWhy}; ${why}` };
  }
}

/** What went wrong, or null. */
async function withClient(
  { group, name, version, extension }: MavenArtifact,
  title: string,
  folder: string,
  context: FetchContext,
): Promise<string | null> {
  context.progress(`fetching ${title} with mvn`);
  const artifact = `-Dartifact=${group}:${name}:${version}:${extension}`;
  const result = await runChild('mvn', ['-q', '-B', copyGoal, artifact, `-DoutputDirectory=${folder}`], {
    env: context.env,
    timeoutMs: mavenTimeoutMs,
    cwd: folder,
    heartbeat: context.heartbeat(`fetching ${title}`),
  });
  switch (result.kind) {
    case 'absent':
      return 'there is no mvn';
    case 'broken':
      return `mvn failed: ${result.why}`;
    case 'ended':
      return result.status === 0 ? null : `mvn failed: ${firstError(result.output)}`;
  }
}

/** Maven says what happened first, and ends with hints for its own users. */
function firstError(output: string): string {
  const line = output.split('\n').find((text) => text.startsWith('[ERROR]'));
  return line === undefined ? lastWords(output) : lastWords(line.replace('[ERROR]', ''));
}
