/** The login of people at their identity provider: authorization code with PKCE, state and nonce (OIDC Core, RFC 7636). */
import * as oidc from 'openid-client';
import { Agent, fetch } from 'undici';
import { SkilltapeError } from '../errors.ts';
import type { Identity, IdentityProvider } from '../exchange/identity.ts';
import { identityOf } from '../exchange/identity.ts';

/**
 * @property origin where the console is reached
 * @property clientSecret null: a public client
 * @property ca authorities that may vouch for the provider, PEM; null: those of the system
 * @property maxAgeSeconds the provider is to ask anew whoever logged in there longer ago, and to say when they did; not all do
 */
export type SignInSettings = {
  provider: IdentityProvider;
  origin: string;
  clientId: string;
  clientSecret: string | null;
  scope: string;
  ca: string | null;
  maxAgeSeconds: number;
  now(): number;
};

export type Beginning = { url: string; state: string; nonce: string; codeVerifier: string };

/** `unreachable`: the provider does not answer. `refused`: it, or we, will not have this login; `why` is for people. */
export type SignedIn =
  | { kind: 'person'; identity: Identity; idToken: string; authenticatedMs: number | null }
  | { kind: 'refused'; why: string }
  | { kind: 'unreachable'; why: string };

export type SignIn = {
  /** @throws SkilltapeError `not_found`: the provider does not answer */
  begin(): Promise<Beginning>;
  /** `query` is what the provider sent the browser back with. */
  complete(query: string, expected: Omit<Beginning, 'url'>): Promise<SignedIn>;
  /** Where the browser goes to log out there too; null where the provider has no such place or is not reached. */
  logoutUrl(idToken: string): Promise<string | null>;
  close(): Promise<void>;
};

export const callbackPath = '/login/callback';
export const loggedOutPath = '/logged-out';

const requestTimeoutSeconds = 10;
const clockToleranceMs = 60_000;

const loginTooOld = 'You logged in at the identity provider too long ago. Log out there, and log in again.';

export function signInAt(settings: SignInSettings): SignIn {
  const dispatcher = new Agent({ connect: settings.ca === null ? {} : { ca: settings.ca } });
  let found: Promise<oidc.Configuration> | undefined;
  // Asked for again until it answers: the console may be started before it.
  const provider = (): Promise<oidc.Configuration> => {
    found ??= discover(settings, dispatcher).catch((thrown) => {
      found = undefined;
      throw thrown;
    });
    return found;
  };
  return {
    begin: async () => beginning(await provider(), settings),
    async complete(query, expected) {
      let config: oidc.Configuration;
      try {
        config = await provider();
      } catch (thrown) {
        return { kind: 'unreachable', why: SkilltapeError.from(thrown).message };
      }
      return completed(config, settings, query, expected);
    },
    async logoutUrl(idToken) {
      const config = await provider().catch(() => null);
      if (config?.serverMetadata().end_session_endpoint === undefined) return null;
      const back = `${settings.origin}${loggedOutPath}`;
      return oidc.buildEndSessionUrl(config, { id_token_hint: idToken, post_logout_redirect_uri: back }).href;
    },
    close: () => dispatcher.destroy(),
  };
}

async function discover(settings: SignInSettings, dispatcher: Agent): Promise<oidc.Configuration> {
  const { provider, clientId, clientSecret } = settings;
  const issuer = new URL(provider.issuer);
  const options = {
    timeout: requestTimeoutSeconds,
    [oidc.customFetch]: ((url: string, init: object) =>
      fetch(url, { ...init, dispatcher } as never)) as unknown as oidc.CustomFetch,
    // The configuration lets plain http pass for this machine alone.
    ...(issuer.protocol === 'http:' && { execute: [oidc.allowInsecureRequests] }),
  };
  try {
    const found = await oidc.discovery(issuer, clientId, undefined, oidc.None(), options);
    if (clientSecret === null) return found;
    const metadata = found.serverMetadata();
    const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const proof = methods.includes('client_secret_basic') ? oidc.ClientSecretBasic : oidc.ClientSecretPost;
    const config = new oidc.Configuration(metadata, clientId, undefined, proof(clientSecret));
    config.timeout = requestTimeoutSeconds;
    config[oidc.customFetch] = options[oidc.customFetch];
    if (issuer.protocol === 'http:') oidc.allowInsecureRequests(config);
    return config;
  } catch (thrown) {
    throw new SkilltapeError('not_found', `the identity provider ${provider.issuer} does not answer`, {
      cause: thrown,
      remedy:
        'check the issuer, the network, and console.caFile when its certificate is signed by an authority of your own',
    });
  }
}

async function beginning(config: oidc.Configuration, settings: SignInSettings): Promise<Beginning> {
  const codeVerifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${settings.origin}${callbackPath}`,
    scope: settings.scope,
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    max_age: String(settings.maxAgeSeconds),
  });
  return { url: url.href, state, nonce, codeVerifier };
}

async function completed(
  config: oidc.Configuration,
  settings: SignInSettings,
  query: string,
  { state, nonce, codeVerifier }: Omit<Beginning, 'url'>,
): Promise<SignedIn> {
  try {
    const answer = await oidc.authorizationCodeGrant(config, new URL(`${callbackPath}?${query}`, settings.origin), {
      pkceCodeVerifier: codeVerifier,
      ...{ expectedState: state, expectedNonce: nonce, idTokenExpected: true },
    });
    const claims = answer.claims();
    const idToken = answer.id_token;
    if (claims === undefined || idToken === undefined) return refused('The identity provider gave no ID token.');
    const who = identityOf({ ...claims }, settings.provider);
    if (who.kind === 'failed') return refused(`${who.detail}.`);
    const { auth_time: authTime } = claims;
    const authenticatedMs = typeof authTime === 'number' ? authTime * 1_000 : null;
    const ageMs = authenticatedMs === null ? 0 : settings.now() - authenticatedMs;
    if (ageMs > settings.maxAgeSeconds * 1_000 + clockToleranceMs) return refused(loginTooOld);
    return { kind: 'person', identity: who.identity, idToken, authenticatedMs };
  } catch (thrown) {
    return failed(thrown);
  }
}

function refused(why: string): SignedIn {
  return { kind: 'refused', why };
}

/** What the provider said of it; never a code or a token. */
function failed(thrown: unknown): SignedIn {
  if (thrown instanceof oidc.AuthorizationResponseError || thrown instanceof oidc.ResponseBodyError) {
    return refused(thrown.error_description ?? thrown.error);
  }
  if (thrown instanceof oidc.ClientError && thrown.code === 'OAUTH_TIMEOUT') {
    return { kind: 'unreachable', why: 'The identity provider did not answer in time.' };
  }
  const { cause } = thrown as { cause?: unknown };
  if (thrown instanceof TypeError && cause !== undefined) {
    return { kind: 'unreachable', why: 'The identity provider did not answer.' };
  }
  return refused('What the identity provider answered does not fit this login. Log in again.');
}
