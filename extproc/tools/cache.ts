import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

const temporaryPrefix = '.fetch-';
const abandonedAfterMs = 24 * 60 * 60 * 1000;

/** The folder outside the checkout where fetched tools stay; the XDG rules ignore a path that is not absolute. */
export function cacheDirectory(env: Environment): string {
  const base = env.XDG_CACHE_HOME;
  if (base !== undefined && isAbsolute(base)) return join(base, 'skilltape');
  return join(env.HOME || homedir(), '.cache', 'skilltape');
}

/** Where a tool of one version lies in the cache. */
export function cachedTool(env: Environment, tool: string, version: string): string {
  return join(cacheDirectory(env), `${tool}-${version}`, tool);
}

/**
 * Has `make` produce a file in a folder of its own and moves it into the cache in one step, so that two processes, or
 * one that is killed, never leave half a tool behind.
 * @param make gets an empty folder in the cache's file system and returns the path of the finished file, or of a finished
 * folder, in it
 */
export async function placeInCache(
  env: Environment,
  target: string,
  make: (folder: string) => Promise<string>,
): Promise<void> {
  const cache = cacheDirectory(env);
  await mkdir(cache, { recursive: true });
  await removeAbandoned(cache);
  const folder = await mkdtemp(join(cache, temporaryPrefix));
  try {
    const made = await make(folder);
    await mkdir(join(target, '..'), { recursive: true });
    await rename(made, target).catch((error: NodeJS.ErrnoException) => {
      // A folder does not replace another one: a second process was faster, and its tool is whole too.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A killed fetch leaves its folder; nobody else removes it. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(temporaryPrefix)) continue;
    const folder = join(cache, name);
    const { mtimeMs } = await stat(folder).catch(() => ({
      mtimeMs: Number.POSITIVE_INFINITY,
    }));
    if (Date.now() - mtimeMs > abandonedAfterMs) await rm(folder, { recursive: true, force: true });
  }
}
