import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Tickets } from '../../extproc/approvals/tickets.ts';
import type { Bearer } from '../../extproc/console/bearer.ts';
import { appOf, type ConsoleParts } from '../../extproc/console/server.ts';
import type { SignedIn } from '../../extproc/console/sign-in.ts';
import type { Identity } from '../../extproc/exchange/identity.ts';
import { type GrantLimits, Grants } from '../../extproc/grants/grants.ts';
import { createLog } from '../../extproc/log.ts';
import type { Look } from '../../extproc/looks/look-log.ts';
import type { Masked } from '../../extproc/masking/masked.ts';
import type { ConsoleDecision, ConsoleInput } from '../../extproc/policy/console.ts';
import { Stops } from '../../extproc/stops/stops.ts';
import { approvalRequest } from './approval.ts';
import { temporaryDirectory } from './directory.ts';

export const origin = 'https://console.example';

export function identityOf(subject: string, groups: string[] = ['security']): Identity {
  return { issuer: 'https://idp.example.com', subject, name: subject, email: `${subject}@example.com`, groups };
}

type Options = {
  policy?: (input: ConsoleInput) => Partial<ConsoleDecision>;
  /** What the identity provider says of a login. */
  signedIn?: SignedIn;
  now?: () => number;
  grantLimits?: GrantLimits;
};

/** The console over real tickets; a token is the subject that it stands for. Whoever is called `nobody` may nothing. */
export async function consoleRig(context: TestContext, options: Options = {}) {
  const directory = await temporaryDirectory(context);
  const desk = new Tickets(join(directory, 'approvals.sqlite'));
  const grants = new Grants(join(directory, 'grants.sqlite'), options.grantLimits);
  const stops = new Stops(join(directory, 'stops.sqlite'));
  const looks: Look[] = [];
  const inputs: ConsoleInput[] = [];
  const app = appOf({
    ...{ desk, grants, stops, connections: ['claude', 'sandbox'] },
    limits: { accessMaxMs: 7 * 24 * 3_600_000, breakGlassMaxMs: 3_600_000 },
    ...partsOf(options, looks, inputs),
    ...{ log: createLog('silent'), mask: (text) => text.replaceAll('ada@example.com', '[EMAIL]') as Masked<string> },
    ...{ now: options.now ?? Date.now, homeIssuer: 'https://idp.example.com' },
    settings: {
      ...{ listen: { address: '127.0.0.1', port: 0 }, tls: null, origin, trustedProxies: [] },
      ...{ cookieName: 'skilltape', sessionMaxMs: 3_600_000, sessionsMax: 100 },
    },
  });
  context.after(async () => {
    await app.close();
    desk.close();
    grants.close();
    stops.close();
  });
  const hold = (changes: Parameters<typeof approvalRequest>[0] = {}): string => {
    const answer = desk.ask(approvalRequest(changes), (options.now ?? Date.now)());
    if (!('ticket' in answer)) throw new Error(`no ticket: ${answer.kind}`);
    return answer.ticket;
  };
  return { app, desk, grants, stops, looks, inputs, hold };
}

function partsOf(
  { policy = usualPolicy, signedIn = usualLogin }: Options,
  looks: Look[],
  inputs: ConsoleInput[],
): Pick<ConsoleParts, 'policy' | 'lookLog' | 'bearer' | 'signIn'> {
  const bearer: Bearer = {
    verify: async (token) => ({ kind: 'person', identity: identityOf(token), authenticatedMs: null }),
    close: async () => {},
  };
  return {
    bearer,
    lookLog: { record: (look) => void looks.push(look) },
    signIn: {
      begin: async () => ({ url: 'https://idp.example.com/auth', state: 's', nonce: 'n', codeVerifier: 'v' }),
      complete: async () => signedIn,
      logoutUrl: async () => null,
      close: async () => {},
    },
    policy: async () => ({
      console(input) {
        inputs.push(input);
        const limits = { values_per_operator_per_hour: 0, values_per_person_per_hour: 0 };
        return { verdict: 'allow', reasons: [], limits, persons: [], ...policy(input) };
      },
    }),
  };
}

const usualLogin: SignedIn = { kind: 'person', identity: identityOf('grace'), idToken: 'id', authenticatedMs: 5_000 };

const denials = { rule: 'console/operator_listed', message: 'You are not among the operators who may do this.' };

/** What giving access takes there. */
export const grantTerms = { quorum: 1, open_minutes: 60, grant_minutes: 240, approvers: [] };

/** Everybody but `nobody`, and nobody about a request of their own. */
function usualPolicy({ operator, person, action }: ConsoleInput): Partial<ConsoleDecision> {
  if (operator.subject === 'nobody') return { verdict: 'deny', reasons: [denials] };
  if (action === 'ask') return { terms: grantTerms };
  const isOwn = operator.subject === person?.subject && ['decide', 'grant'].includes(action);
  return isOwn ? { verdict: 'deny', reasons: [{ rule: 'console/own_request', message: 'It is your own.' }] } : {};
}

/** What a browser has of whom `signedIn` says, once they logged in. */
export async function logInTo({ app }: Pick<Awaited<ReturnType<typeof consoleRig>>, 'app'>) {
  const [pending] = (await app.inject('/login')).cookies;
  const cookie = `${pending?.name}=${pending?.value}`;
  const back = await app.inject({ url: '/login/callback?code=c&state=s', headers: { cookie } });
  const session = back.cookies.find(({ name }) => name === '__Host-skilltape-session');
  const headers = { origin, cookie: `${session?.name}=${session?.value}` };
  const { csrfToken: csrf } = (await app.inject({ url: '/api/v1/me', headers })).json() as { csrfToken: string };
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return {
    cookie: headers.cookie,
    csrf,
    get: (url: string) => app.inject({ url, headers }),
    post: (url: string, form: Record<string, string>) =>
      app.inject({
        ...{ method: 'POST', url, headers: { ...headers, ...type } },
        payload: `${new URLSearchParams({ csrf, ...form })}`,
      }),
  };
}
