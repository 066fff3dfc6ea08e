import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SkilltapeError } from '../../errors.ts';
import { envoyFiles } from './envoy-files.ts';
import type { Places } from './places.ts';
import { makeSecrets, type SetupFiles } from './secrets.ts';

/** Written last: with it, all the files that it names belong together. */
const markFile = 'people/made.json';
/** Counts up with what is made: what an earlier version made is not all that services need now. */
const markVersion = 2;
const mark = z.strictObject({ version: z.literal(markVersion), files: z.array(z.string()) });

const renewBeforeMs = 7 * 24 * 3600 * 1000;
const keyPattern = /^[\x21-\x7e]{1,4096}$/;

/** @property claudeKeyFile key of the Claude API, where there is one */
export type PrepareOptions = { readonly places: Places; readonly claudeKeyFile: string };

/** What was done, for the person who reads the log. */
export type Prepared = { readonly secrets: 'made' | 'kept'; readonly upstream: 'fake' | 'real' };

/**
 * Makes what the services need and what is not there yet; certificates that end soon are made anew, with all else.
 * Envoy's configuration is rendered each time. Throws SkilltapeError `usage` for a key file that cannot be used.
 */
export async function prepare({ places, claudeKeyFile }: PrepareOptions): Promise<Prepared> {
  const realKey = readKey(claudeKeyFile);
  const isKept = isWhole(places.root);
  if (!isKept) {
    rmSync(join(places.root, markFile), { force: true });
    const files = await makeSecrets(places);
    writeAll(places.root, files);
    writeAll(places.root, { [markFile]: JSON.stringify({ version: markVersion, files: Object.keys(files) }) });
  }
  const fakeKey = readFileSync(join(places.root, 'fakes/claude.api-key'), 'utf8').trim();
  writeAll(places.root, envoyFiles(places, { realKey, fakeKey }));
  return { secrets: isKept ? 'kept' : 'made', upstream: realKey === null ? 'fake' : 'real' };
}

function isWhole(root: string): boolean {
  const file = join(root, markFile);
  if (!existsSync(file)) return false;
  const { data } = mark.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (data === undefined || !data.files.every((name) => existsSync(join(root, name)))) return false;
  const { validTo } = new X509Certificate(readFileSync(join(root, 'people/ca.crt')));
  return Date.parse(validTo) - Date.now() > renewBeforeMs;
}

function readKey(file: string): string | null {
  if (!existsSync(file)) return null;
  const remedy = `put the key alone into deploy/compose/secrets/claude.key, readable by the user with the id 1000`;
  let key: string;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new SkilltapeError('usage', `${file} cannot be read`, { cause, remedy });
  }
  if (keyPattern.test(key)) return key;
  throw new SkilltapeError('usage', `${file} does not hold one key`, { remedy });
}

/** A file is there as a whole or not at all, and only its owner reads it: all services run as the same user id. */
function writeAll(root: string, files: SetupFiles): void {
  for (const [name, content] of Object.entries(files)) {
    const file = join(root, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, content, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}
