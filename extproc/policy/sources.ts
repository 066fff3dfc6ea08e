/** Reads a policy directory once, so that what is hashed is what is compiled; refuses what would silently not count. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SkilltapeError } from '../errors.ts';

export const sourceFileMaxBytes = 1024 * 1024;
const sourceFilesMax = 2000;
const folderDepthMax = 16;

/** Contents by path relative to the directory, in the order of the paths. */
export type PolicySources = {
  /** Rules and lists: what the module is made of. */
  compiled: Map<string, Buffer>;
  /** The builtins that rules may call; null when the directory has no capabilities.json. */
  capabilities: Buffer | null;
};

/**
 * Hidden files, tests, schemas and files of other kinds are left out. Symbolic links are refused: a rule could come
 * from outside the directory.
 * @throws SkilltapeError `policy_invalid`
 */
export async function readSources(directory: string): Promise<PolicySources> {
  const sources: PolicySources = { compiled: new Map(), capabilities: null };
  const paths = await listFiles(directory, '', 0);
  if (paths.length > sourceFilesMax) refuse(directory, `has more than ${sourceFilesMax} files`);
  for (const path of paths.sort()) {
    const role = roleOf(path);
    if (role === 'ignored') continue;
    if (role === 'misplaced') {
      refuse(join(directory, path), 'would not be read: data is in files named data.json, schemas are in schemas/');
    }
    const content = await readBounded(directory, path);
    if (role === 'compiled') sources.compiled.set(path, content);
    else sources.capabilities = content;
  }
  if (![...sources.compiled.keys()].some((path) => path.endsWith('.rego'))) refuse(directory, 'has no Rego files');
  return sources;
}

/** `sha256:<hex>` over paths and contents of what is compiled; lengths keep one file from passing for two. */
export function revisionOf(sources: PolicySources): string {
  const hash = createHash('sha256');
  for (const [path, content] of sources.compiled) hash.update(`${path}\0${content.length}\0`).update(content);
  return `sha256:${hash.digest('hex')}`;
}

type Role = 'compiled' | 'capabilities' | 'ignored' | 'misplaced';

function roleOf(path: string): Role {
  if (path.endsWith('_test.rego')) return 'ignored';
  if (path === 'capabilities.json') return 'capabilities';
  if (/^schemas\/.*\.json$/.test(path)) return 'ignored';
  if (path.endsWith('.rego') || path === 'data.json' || path.endsWith('/data.json')) return 'compiled';
  return /\.(json|ya?ml)$/i.test(path) ? 'misplaced' : 'ignored';
}

async function listFiles(directory: string, folder: string, depth: number): Promise<string[]> {
  const here = join(directory, folder);
  if (depth > folderDepthMax) refuse(here, `is deeper than ${folderDepthMax} folders`);
  const entries = await readdir(here, { withFileTypes: true }).catch((thrown: unknown) =>
    refuse(here, 'cannot be read', thrown),
  );
  const paths: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isSymbolicLink()) refuse(join(directory, path), 'is a symbolic link');
    if (entry.isDirectory()) paths.push(...(await listFiles(directory, path, depth + 1)));
    else if (entry.isFile()) paths.push(path);
    else refuse(join(directory, path), 'is neither a file nor a folder');
  }
  return paths;
}

async function readBounded(directory: string, path: string): Promise<Buffer> {
  const name = join(directory, path);
  const file = await open(name, constants.O_RDONLY | constants.O_NOFOLLOW).catch((thrown: unknown) =>
    refuse(name, 'cannot be read', thrown),
  );
  try {
    const { size } = await file.stat();
    if (size > sourceFileMaxBytes) refuse(name, `is larger than ${sourceFileMaxBytes} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function refuse(path: string, why: string, cause?: unknown): never {
  throw new SkilltapeError('policy_invalid', `${path} ${why}`, { cause });
}
