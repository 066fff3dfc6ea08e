import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { temporaryDirectory } from '../../builders/directory.ts';
import { createBrowser } from '../../environment/browser.ts';
import { type CommandResult, skilltape } from '../../environment/command.ts';
import { type IdentityProvider, startIdentityProvider } from '../../fakes/identity-provider.ts';

/** `skilltape token` against a real OpenID Connect provider in this process. */
const mainScript = fileURLToPath(new URL('../../../extproc/main.ts', import.meta.url));
const users = [{ subject: 'jane', name: 'Jane', email: 'jane@example.com', groups: ['research'] }];
let provider: IdentityProvider;
const startProvider = (port = 0) =>
  startIdentityProvider({ listen: { host: '127.0.0.1', port }, users, audience: 'skilltape' });
before(async () => {
  provider = await startProvider();
});
after(() => provider.close());

function home(t: TestContext): { env: NodeJS.ProcessEnv; file: string } {
  const directory = temporaryDirectory(t);
  const env = { XDG_STATE_HOME: join(directory, 'state'), XDG_CONFIG_HOME: join(directory, 'config') };
  return { env, file: join(directory, 'state', 'skilltape', 'login.json') };
}

const loginFlags = () => ['--issuer', provider.issuer, '--client-id', provider.clientId];

/** Runs a login, and does with its words on standard error what a person would. */
async function logIn(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  person: (said: string) => Promise<void> | undefined,
): Promise<CommandResult> {
  const child = spawn(process.execPath, [mainScript, 'token', 'login', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let said = '';
  let done: Promise<void> | undefined;
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
    done ??= person(said);
  });
  const status = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stdout = await text(child.stdout);
  await done;
  return { status: await status, stdout, stderr: said };
}

function withBrowser(env: NodeJS.ProcessEnv, args: readonly string[] = loginFlags()): Promise<CommandResult> {
  return logIn(env, args, (said) => {
    const url = /^http\S+\/auth\?\S+$/m.exec(said)?.[0];
    return url === undefined || !said.endsWith('\n') ? undefined : signIn(url);
  });
}

async function signIn(url: string): Promise<void> {
  const open = createBrowser(provider.issuer);
  const login = await open(url);
  const back = await open(login.url, { subject: 'jane' });
  assert.equal((await fetch(back.url)).status, 200);
}

async function typeCode(said: string): Promise<void> {
  const [, address = '', code = ''] = /Open (\S+) in a browser and type the code (\S+?),?\s/.exec(said) ?? [];
  const open = createBrowser(provider.issuer);
  const entry = await open(address);
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(entry.html)?.[1] ?? '';
  const login = await open(entry.url, { xsrf, user_code: code, confirm: 'yes' });
  assert.match((await open(login.url, { subject: 'jane' })).html, /Signed in/);
}

async function assertToken({ status, stdout, stderr }: CommandResult): Promise<string> {
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^[\w.-]+\n$/);
  const token = stdout.trim();
  const keys = createRemoteJWKSet(new URL(provider.jwksUri));
  const { payload } = await jwtVerify(token, keys, { issuer: provider.issuer, audience: 'skilltape' });
  assert.deepEqual([payload.sub, payload.groups], ['jane', ['research']]);
  return token;
}

type Kept = { token: string; refreshToken: string | null; expiresAtMs: number; obtainedAtMs: number };
/** As if the login had been made so long ago that its token is good for `leftMs` more. */
function age(file: string, leftMs: number, change: Partial<Kept> = {}): void {
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;
  const now = Date.now();
  writeFileSync(file, JSON.stringify({ ...kept, obtainedAtMs: now - 3_600_000, expiresAtMs: now + leftMs, ...change }));
}
const kept = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Kept;

test('a person logs in with a browser (PKCE), and the token is given out and kept for them alone', async (t) => {
  const { env, file } = home(t);
  const login = await withBrowser(env);
  assert.equal(login.status, 0, login.stderr);
  assert.equal(login.stdout, '');
  assert.match(login.stderr, /Logged in as jane, until /);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const token = await assertToken(await skilltape(['token'], env));
  assert.equal(await assertToken(await skilltape(['token'], env)), token);
  assert.ok(!login.stderr.includes(token));
  const status = await skilltape(['token', 'status', '--json'], env);
  const { subject, issuer, renewable } = JSON.parse(status.stdout) as Record<string, unknown>;
  assert.deepEqual([subject, issuer, renewable], ['jane', provider.issuer, true]);
  assert.ok(!status.stdout.includes(token));
});

test('a person logs in on another machine with a code (device flow)', async (t) => {
  const { env } = home(t);
  const login = await logIn(env, [...loginFlags(), '--device'], (said) =>
    said.includes('\nor open ') && said.endsWith('\n') ? typeCode(said) : undefined,
  );
  assert.equal(login.status, 0, login.stderr);
  await assertToken(await skilltape(['token'], env));
});

test('a token near its end is renewed without the person, also by several processes at once', async (t) => {
  const { env, file } = home(t);
  await withBrowser(env);
  const old = kept(file);
  age(file, 60_000);
  // The provider takes a refresh token once, and ends the login when it comes again.
  const results = await Promise.all(Array.from({ length: 3 }, () => skilltape(['token'], env)));
  const tokens = new Set(await Promise.all(results.map(assertToken)));
  assert.equal(tokens.size, 1);
  assert.ok(!tokens.has(old.token));
  assert.notEqual(kept(file).refreshToken, old.refreshToken);
  age(file, -1_000);
  assert.ok(!tokens.has(await assertToken(await skilltape(['token'], env))));
});

test('a login that the provider has ended says so with status 3, and a new one needs no flags', async (t) => {
  const { env, file } = home(t);
  await withBrowser(env);
  age(file, -1_000, { refreshToken: 'ended' });
  const ended = await skilltape(['token'], env);
  assert.deepEqual([ended.status, ended.stdout], [3, '']);
  assert.match(ended.stderr, /^The login has ended: invalid_grant.*\nRun: skilltape token login\n$/);
  assert.equal((await withBrowser(env, [])).status, 0);
  await assertToken(await skilltape(['token'], env));
});

test('a provider that cannot be reached costs nothing while the token is good, and is named after that', async (t) => {
  const { env, file } = home(t);
  await withBrowser(env);
  const { port } = provider;
  await provider.close();
  try {
    age(file, 60_000);
    const good = await skilltape(['token'], env);
    assert.deepEqual([good.status, good.stdout.trim()], [0, kept(file).token]);
    assert.match(good.stderr, /could not be renewed: .*ECONNREFUSED.*s more/);
    age(file, -1_000);
    const gone = await skilltape(['token'], env);
    assert.deepEqual([gone.status, gone.stdout], [1, '']);
    assert.match(gone.stderr, /could not be renewed: the identity provider \S+ does not answer.*ECONNREFUSED/);
    const login = await skilltape(['token', 'login', ...loginFlags()], env);
    assert.deepEqual([login.status, login.stdout], [1, '']);
    assert.match(login.stderr, /does not answer.*\ncheck --issuer/);
  } finally {
    provider = await startProvider(port);
  }
});

test('without a login the helper asks nothing, prints nothing, and says what to run', async (t) => {
  const { env } = home(t);
  const { status, stdout, stderr } = await skilltape(['token'], env);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /Nobody is logged in\.\nRun: skilltape token login --issuer/);
});

test('a login that others may read is not used', async (t) => {
  const { env, file } = home(t);
  await withBrowser(env);
  chmodSync(file, 0o644);
  const { status, stdout, stderr } = await skilltape(['token'], env);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /others may read .*chmod 600/s);
});

test('an ID token is given out where it is asked for', async (t) => {
  const { env } = home(t);
  assert.equal((await withBrowser(env, [...loginFlags(), '--id-token'])).status, 0);
  const { stdout } = await skilltape(['token'], env);
  const keys = createRemoteJWKSet(new URL(provider.jwksUri));
  const { payload } = await jwtVerify(stdout.trim(), keys, { audience: provider.clientId });
  assert.equal(payload.sub, 'jane');
});

test('logout forgets the login', async (t) => {
  const { env } = home(t);
  await withBrowser(env);
  assert.equal((await skilltape(['token', 'logout'], env)).status, 0);
  assert.equal((await skilltape(['token'], env)).status, 2);
});
