/** Reads a policy directory once, so that what is hashed is what is compiled; refuses what would silently not count. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { SkilltapeError } from '../errors.ts';

export const sourceFileMaxBytes = 1024 * 1024;
const sourceFilesMax = 2000;
const sourcesMaxBytes = 32 * 1024 * 1024;
const folderDepthMax = 16;

/** Contents by path relative to the directory, in the order of the paths. */
export type PolicySources = {
  /** Rules and lists: what the module is made of. */
  compiled: Map<string, Buffer>;
  /** What the rules have to pass, and the lists that they pass it with; no part of the module. */
  tests: Map<string, Buffer>;
  /** The builtins that rules may call; null when the directory has no capabilities.json. */
  capabilities: Buffer | null;
};

/** Kubernetes changes what a mounted ConfigMap holds by pointing this link to another folder, all files at once. */
const swappedFolder = '..data';

type Place = { directory: string; root: string };

/**
 * The folder that the files are read from. The directory itself may be a link, and what is swapped as a whole is read
 * from where its link points to now, so that one reading never has files of two versions.
 * @throws SkilltapeError `policy_invalid`
 */
export async function rootOf(directory: string): Promise<string> {
  const own = await realpath(directory).catch((thrown: unknown) => refuse(directory, 'cannot be read', thrown));
  const swapped = await realpath(join(own, swappedFolder)).catch(() => null);
  if (swapped === null) return own;
  if (!swapped.startsWith(`${own}${sep}`)) refuse(join(directory, swappedFolder), 'points to another place');
  return swapped;
}

/**
 * Hidden files, schemas and files of other kinds are left out. Symbolic links are refused: a rule could come from
 * outside the directory.
 * @throws SkilltapeError `policy_invalid`
 */
export async function readSources(directory: string): Promise<PolicySources> {
  const sources: PolicySources = { compiled: new Map(), tests: new Map(), capabilities: null };
  const place = { directory, root: await rootOf(directory) };
  const paths = await listFiles(place, '', 0);
  if (paths.length > sourceFilesMax) refuse(directory, `has more than ${sourceFilesMax} files`);
  let bytes = 0;
  for (const path of paths.sort()) {
    const role = roleOf(path);
    if (role === 'ignored') continue;
    if (role === 'misplaced') {
      const where = 'rules are in files named <rule>.rego, data in files named data.json, schemas in schemas/';
      refuse(join(directory, path), `would not be read: ${where}`);
    }
    const content = await readBounded(place, path);
    bytes += content.length;
    if (bytes > sourcesMaxBytes) refuse(directory, `holds more than ${sourcesMaxBytes} bytes`);
    if (role === 'capabilities') sources.capabilities = content;
    else sources[role === 'test' ? 'tests' : 'compiled'].set(path, content);
  }
  if (![...sources.compiled.keys()].some((path) => path.endsWith('.rego'))) refuse(directory, 'has no Rego files');
  return sources;
}

/** `sha256:<hex>` over paths and contents of what is compiled; lengths keep one file from passing for two. */
export function revisionOf(sources: PolicySources): string {
  return `sha256:${digestOf(sources.compiled)}`;
}

export function digestOf(files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash('sha256');
  for (const [path, content] of files) hash.update(`${path}\0${content.length}\0`).update(content);
  return hash.digest('hex');
}

/** A list as the tests know it: what operators write into `lists/<name>/data.json` must not fail them. */
export const testedListPath = /^lib\/example\/lists\/(\w+)\/list\.json$/;

type Role = 'compiled' | 'test' | 'capabilities' | 'ignored' | 'misplaced';

function roleOf(path: string): Role {
  if (path.endsWith('_test.rego') || testedListPath.test(path)) return 'test';
  if (path === 'capabilities.json') return 'capabilities';
  if (/^schemas\/.*\.json$/.test(path)) return 'ignored';
  if (path.endsWith('.rego') || path === 'data.json' || path.endsWith('/data.json')) return 'compiled';
  return /\.(?:json|ya?ml|reg|rego(?:\.txt)?)$/i.test(path) ? 'misplaced' : 'ignored';
}

async function listFiles(place: Place, folder: string, depth: number): Promise<string[]> {
  const { directory, root } = place;
  const here = join(directory, folder);
  if (depth > folderDepthMax) refuse(here, `is deeper than ${folderDepthMax} folders`);
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((thrown: unknown) =>
    refuse(here, 'cannot be read', thrown),
  );
  const paths: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isSymbolicLink()) refuse(join(directory, path), 'is a symbolic link');
    if (entry.isDirectory()) paths.push(...(await listFiles(place, path, depth + 1)));
    else if (entry.isFile()) paths.push(path);
    else refuse(join(directory, path), 'is neither a file nor a folder');
  }
  return paths;
}

async function readBounded({ directory, root }: Place, path: string): Promise<Buffer> {
  const name = join(directory, path);
  const file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW).catch((thrown: unknown) =>
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
