import { pbkdf2Sync, randomBytes } from 'node:crypto';

/** A user of Elasticsearch's file realm. */
export type Account = { readonly name: string; readonly password: string; readonly roles: readonly string[] };

/** What Elasticsearch's own `{PBKDF2}` hashes are made with. */
const pbkdf2 = { iterations: 10_000, bytes: 32, digest: 'sha512' };
/** Begin of every token of a service account, as Elasticsearch reads it. */
const tokenPrefix = Buffer.from([0, 1, 0, 1]);

export function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}

export function account(name: string, ...roles: readonly string[]): Account {
  return { name, password: randomPassword(), roles };
}

/** The files `users` and `users_roles` of Elasticsearch's configuration. */
export function realmFiles(accounts: readonly Account[]): { users: string; usersRoles: string } {
  const roles = [...new Set(accounts.flatMap((one) => one.roles))];
  const namesWith = (role: string) => accounts.filter((one) => one.roles.includes(role)).map(({ name }) => name);
  return {
    users: accounts.map(({ name, password }) => `${name}:${hashOf(password)}\n`).join(''),
    usersRoles: roles.map((role) => `${role}:${namesWith(role).join(',')}\n`).join(''),
  };
}

/** Kibana's own credential: what Kibana sends, and the line of the file `service_tokens` that Elasticsearch knows it by. */
export function kibanaToken(): { bearer: string; line: string } {
  const name = 'elastic/kibana/compose';
  const secret = randomPassword();
  const bearer = Buffer.concat([tokenPrefix, Buffer.from(`${name}:${secret}`)]).toString('base64');
  return { bearer, line: `${name}:${hashOf(secret)}\n` };
}

function hashOf(password: string): string {
  const salt = randomBytes(pbkdf2.bytes);
  const hash = pbkdf2Sync(password, salt, pbkdf2.iterations, pbkdf2.bytes, pbkdf2.digest);
  return `{PBKDF2}${pbkdf2.iterations}$${salt.toString('base64')}$${hash.toString('base64')}`;
}
