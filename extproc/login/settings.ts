import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';

/**
 * How a person signs in.
 * @property resource resource indicator (RFC 8707) that the token is asked for; `audience` is what some providers take
 * instead. Null: the provider's default.
 * @property caFile authority that signed the provider's certificate, PEM; null: the system's
 * @property kind which of the provider's tokens the gateway verifies
 */
export type LoginSettings = {
  issuer: string;
  clientId: string;
  scope: string;
  resource: string | null;
  audience: string | null;
  caFile: string | null;
  kind: TokenKind;
};

export type TokenKind = 'access_token' | 'id_token';

/** What flags may say; the same names as in `login.yaml`. */
export type WrittenSettings = {
  issuer?: string | undefined;
  clientId?: string | undefined;
  scope?: string | undefined;
  resource?: string | undefined;
  audience?: string | undefined;
  caFile?: string | undefined;
  idToken?: boolean | undefined;
};

/** `offline_access` is what a refresh token is asked for with. */
const usualScope = 'openid profile email offline_access';
const text = z.string().min(1).max(2_048);
const loginFile = z.strictObject({
  issuer: text.optional(),
  clientId: text.optional(),
  scope: text.optional(),
  resource: text.optional(),
  audience: text.optional(),
  caFile: text.optional(),
  idToken: z.boolean().optional(),
});

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Puts together what flags say, else `SKILLTAPE_ISSUER` and `SKILLTAPE_CLIENT_ID`, else `login.yaml`.
 * @throws SkilltapeError `usage`: something is missing, or cannot be what it says
 */
export function loginSettings(flags: WrittenSettings, env: Environment): LoginSettings {
  const file = settingsFile(env);
  const inFile = readSettings(file);
  const [issuer, clientId] = [
    flags.issuer ?? (env.SKILLTAPE_ISSUER || inFile.issuer),
    flags.clientId ?? (env.SKILLTAPE_CLIENT_ID || inFile.clientId),
  ];
  const missing = [issuer === undefined && '--issuer', clientId === undefined && '--client-id'].filter(Boolean);
  if (issuer === undefined || clientId === undefined) {
    throw new SkilltapeError('usage', `${missing.join(' and ')} must be given`, {
      remedy: `your administrator knows them; they may also stand in SKILLTAPE_ISSUER and SKILLTAPE_CLIENT_ID, or as issuer and clientId in ${file}`,
    });
  }
  return {
    issuer: issuerUrl(issuer),
    clientId,
    scope: flags.scope ?? inFile.scope ?? usualScope,
    resource: flags.resource ?? inFile.resource ?? null,
    audience: flags.audience ?? inFile.audience ?? null,
    caFile: flags.caFile ?? inFile.caFile ?? null,
    kind: (flags.idToken ?? inFile.idToken) === true ? 'id_token' : 'access_token',
  };
}

/** Where the settings of the whole machine's user may stand (XDG base directories). */
export function settingsFile(env: Environment): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'skilltape', 'login.yaml');
}

/** Where tokens are kept: state, and neither configuration nor cache. */
export function stateDirectory(env: Environment): string {
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'skilltape');
}

function readSettings(file: string): WrittenSettings {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw unusable(file, SkilltapeError.from(thrown).message);
  }
  let data: unknown;
  try {
    data = parse(content) ?? {};
  } catch (thrown) {
    throw unusable(file, SkilltapeError.from(thrown).message);
  }
  const parsed = loginFile.safeParse(data);
  if (parsed.success) return parsed.data;
  throw unusable(file, parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

function unusable(file: string, why: string): SkilltapeError {
  return new SkilltapeError('usage', `${file} cannot be used: ${why}`, {
    remedy: `it is YAML with the keys ${Object.keys(loginFile.shape).join(', ')}`,
  });
}

/** Passwords and tokens go over plain http to this machine only. */
function issuerUrl(issuer: string): string {
  const url = URL.canParse(issuer) ? new URL(issuer) : null;
  const isLocal = url !== null && isLoopback(url);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal)) return issuer;
  throw new SkilltapeError('usage', '--issuer is no address of an identity provider', {
    remedy: 'give the https URL below which /.well-known/openid-configuration stands; http only for this machine',
  });
}

export function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
