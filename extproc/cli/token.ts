import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { demoDirectory, demoFile } from '../demo/facts.ts';
import { SkilltapeError } from '../errors.ts';
import { currentToken, loginOf, type Refreshed, type TokenOutcome } from '../login/session.ts';
import { loginSettings, stateDirectory, type WrittenSettings } from '../login/settings.ts';
import { LoginStore, type StoredLogin } from '../login/store.ts';
import { sanitise, sanitisedJson, sanitiseLine } from '../terminal/sanitise.ts';
import { exitUsage, wholeNumber } from './looking.ts';

const exitUnreachable = 1;
const exitEnded = 3;
/** Claude Code asks its helper again after five minutes. */
const minValiditySeconds = '360';
const loginWaitMaxMs = 5 * 60_000;
const exitCodes =
  '0 done, 1 the provider cannot be reached, 2 something given is wrong or nobody is logged in, 3 the login has ended.';

type Output = { write(text: string): void; writeError(text: string): void; setExitCode(code: number): void };
type Environment = Readonly<Record<string, string | undefined>>;
type LoginFlags = WrittenSettings & { device?: true };

/** The command for a process: its streams, its environment. */
export function tokenCommandOf({ stdout, stderr, env }: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>): Command {
  const setExitCode = (code: number) => {
    process.exitCode = code;
  };
  return tokenCommand(
    { write: (text) => stdout.write(text), writeError: (text) => stderr.write(text), setExitCode },
    env,
  );
}

/** `skilltape token`: prints a token of a login that is kept and renewed, as Claude clients take it from a helper. */
function tokenCommand(output: Output, env: Environment): Command {
  const store = new LoginStore(stateDirectory(env));
  const token = new Command('token')
    .description('print a token of your login, renewed where needed; never asks anything (docs/clients.md)')
    .option(
      '--user <subject>',
      'of the demo that runs in this folder: alice, bob or mallory (whose group is suspended)',
    )
    .option(
      '--min-validity <seconds>',
      'how long the token must be good for; at most half of its life',
      minValiditySeconds,
    )
    .addHelpText('after', `\nExit codes: ${exitCodes}`)
    .action((flags: { user?: string; minValidity: string }) => telling(output, () => print(store, output, flags)));
  const sub = (name: string, description: string) =>
    token
      .command(name)
      .description(description)
      .addHelpText('after', `\nExit codes: ${exitCodes}`)
      // Left alone, commander ends with 1 for a mistake on the command line.
      .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitUsage));
  sub('login', 'log in with the browser of this machine, or with --device on any other')
    .option('--issuer <url>', 'the identity provider (else SKILLTAPE_ISSUER, else login.yaml)')
    .option(
      '--client-id <id>',
      'the client that is registered there for this (else SKILLTAPE_CLIENT_ID, else login.yaml)',
    )
    .option('--device', 'show a code that is typed into a browser anywhere, for machines without one')
    .option('--scope <scopes>', 'what is asked for; offline_access is for renewal')
    .option('--resource <uri>', 'what the token is for, where the provider takes resource indicators (RFC 8707)')
    .option('--audience <text>', 'the same, where the provider takes an audience')
    .option('--ca-file <file>', "authority that signed the provider's certificate, PEM")
    .option('--id-token', 'use the ID token, where access tokens are no JWT')
    .action((flags: LoginFlags) => telling(output, () => logIn(store, output, flags, env)));
  sub('status', 'say who is logged in and for how long; no token is shown')
    .option('--json', 'print one JSON document')
    .action((flags: { json?: true }) => telling(output, async () => status(store, output, flags)));
  sub('logout', 'forget the login, and tell the provider').action(() => telling(output, () => logOut(store, output)));
  return token;
}

async function print(
  store: LoginStore,
  output: Output,
  { user, minValidity }: { user?: string; minValidity: string },
): Promise<void> {
  const minValidityMs = wholeNumber('--min-validity', minValidity, 0, 86_400) * 1_000;
  if (user !== undefined) {
    output.write(await tokenOfDemo(user));
    return;
  }
  const outcome = await currentToken(store, { refresh, minValidityMs });
  if (outcome.kind === 'not_logged_in' && existsSync(join(demoDirectory, demoFile)))
    output.write(await tokenOfDemo('alice'));
  else tell(outcome, output);
}

/** The token of the login of this user. Throws SkilltapeError `usage` when there is none that is good. */
export async function keptToken(store: LoginStore): Promise<string> {
  const outcome = await currentToken(store, { refresh, minValidityMs: 0 });
  if (outcome.kind === 'token') return outcome.token;
  throw new SkilltapeError('usage', 'you are not logged in, or your login has ended', {
    remedy: 'run skilltape token login, or give a token with --token-file',
  });
}

async function tokenOfDemo(user: string): Promise<string> {
  const { demoToken, readDemoFacts } = await import('./demo-token.ts');
  return `${await demoToken(readDemoFacts(), user)}\n`;
}

/** Nothing but the token goes to standard output: a helper's output is the token. */
function tell(outcome: TokenOutcome, { write, writeError, setExitCode }: Output): void {
  switch (outcome.kind) {
    case 'token':
      if (outcome.warning !== null)
        writeError(`${sanitiseLine(`The login could not be renewed: ${outcome.warning}`)}\n`);
      write(`${outcome.token}\n`);
      break;
    case 'not_logged_in':
      writeError('Nobody is logged in.\nRun: skilltape token login --issuer <url> --client-id <id>\n');
      setExitCode(exitUsage);
      break;
    case 'ended':
      writeError(`${sanitiseLine(`The login has ended: ${outcome.why}`)}\nRun: skilltape token login\n`);
      setExitCode(exitEnded);
      break;
    case 'unreachable':
      writeError(
        `${sanitiseLine(`The login could not be renewed: ${outcome.why}`)}\nTry again when the provider can be reached.\n`,
      );
      setExitCode(exitUnreachable);
      break;
    default:
      outcome satisfies never;
  }
}

/** The client is loaded when it is needed: most calls of a helper find a token that is good. */
async function refresh(login: StoredLogin, refreshToken: string): Promise<Refreshed> {
  const { openProvider } = await import('../login/provider.ts');
  try {
    const provider = await openProvider(login.settings);
    try {
      return await provider.refresh(refreshToken);
    } finally {
      await provider.close();
    }
  } catch (thrown) {
    if (thrown instanceof SkilltapeError && thrown.code === 'not_found')
      return { kind: 'unreachable', why: thrown.message };
    throw thrown;
  }
}

async function logIn(store: LoginStore, { writeError }: Output, flags: LoginFlags, env: Environment): Promise<void> {
  const settings = loginSettings(settingsOrEarlier(flags, store), env);
  const { openProvider } = await import('../login/provider.ts');
  await using parts = new AsyncDisposableStack();
  const provider = await openProvider(settings);
  parts.defer(() => provider.close());
  const say = (text: string) => writeError(`${sanitise(text)}\n`);
  let tokens: Awaited<ReturnType<typeof provider.logInWithDevice>>;
  if (flags.device) {
    tokens = await provider.logInWithDevice((address, code, whole) => {
      say(`Open ${address} in a browser and type the code ${code}${whole === null ? '' : `,\nor open ${whole}`}`);
    });
  } else {
    const { openLoopback } = await import('../login/loopback.ts');
    const loopback = await openLoopback(loginWaitMaxMs);
    parts.defer(() => loopback.close());
    tokens = await provider.logInWithBrowser(loopback, (url) =>
      say(`Open this address in a browser of this machine:\n${url}`),
    );
  }
  await store.exclusively(async () => store.write(loginOf(settings, tokens, Date.now())));
  const renewal = tokens.refreshToken === null ? ' The provider gave nothing to renew it with.' : '';
  say(`Logged in as ${tokens.subject}, until ${new Date(tokens.expiresAtMs).toISOString()}.${renewal}`);
}

/** Logging in again needs no flags: what is not given is as it was, and a file that cannot be read is replaced. */
function settingsOrEarlier(flags: LoginFlags, store: LoginStore): WrittenSettings {
  if (flags.issuer !== undefined || flags.clientId !== undefined) return flags;
  let earlier: StoredLogin['settings'] | undefined;
  try {
    earlier = store.read()?.settings;
  } catch (thrown) {
    if (!(thrown instanceof SkilltapeError)) throw thrown;
  }
  if (earlier === undefined) return flags;
  const { issuer, clientId, scope, resource, audience, caFile, kind } = earlier;
  const kept = {
    issuer,
    clientId,
    scope,
    resource: resource ?? undefined,
    audience: audience ?? undefined,
    caFile: caFile ?? undefined,
  };
  return { ...kept, idToken: kind === 'id_token', ...flags };
}

function status(store: LoginStore, { write, writeError, setExitCode }: Output, flags: { json?: true }): void {
  const login = store.read();
  if (login === null) {
    writeError('Nobody is logged in.\n');
    setExitCode(exitUsage);
    return;
  }
  const { settings, subject, refreshToken } = login;
  const [expiresAt, isRenewable] = [new Date(login.expiresAtMs).toISOString(), refreshToken !== null];
  const document = {
    subject,
    issuer: settings.issuer,
    client_id: settings.clientId,
    expires_at: expiresAt,
    renewable: isRenewable,
  };
  if (flags.json) {
    write(`${sanitisedJson(document)}\n`);
    return;
  }
  const rest = isRenewable ? 'is renewed when it is asked for' : 'cannot be renewed';
  write(
    `${sanitiseLine(`${subject} at ${settings.issuer}, client ${settings.clientId}; the token is good until ${expiresAt} and ${rest}`)}\n`,
  );
}

async function logOut(store: LoginStore, { writeError }: Output): Promise<void> {
  const login = await store.exclusively(async () => {
    const old = store.read();
    store.remove();
    return old;
  });
  if (login === null) {
    writeError('Nobody was logged in.\n');
    return;
  }
  if (login.refreshToken !== null) {
    const { openProvider } = await import('../login/provider.ts');
    const provider = await openProvider(login.settings);
    try {
      await provider.revoke(login.refreshToken);
    } finally {
      await provider.close();
    }
  }
  writeError('Logged out.\n');
}

/** A provider that does not answer is no mistake on the command line. */
async function telling({ writeError, setExitCode }: Output, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    if (!(thrown instanceof SkilltapeError) || (thrown.code !== 'usage' && thrown.code !== 'not_found')) throw thrown;
    const remedy = thrown.remedy === undefined ? '' : `\n${thrown.remedy}`;
    writeError(`${sanitise(`${thrown.message}${remedy}`)}\n`);
    setExitCode(thrown.code === 'usage' ? exitUsage : exitUnreachable);
  }
}
