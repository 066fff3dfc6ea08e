/** The settings of oidc-provider: which clients and flows there are, and what an access token looks like. */
import { randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { type Context, errors, type IssuedToken, interactionPolicy } from 'oidc-provider';
import { confirmPage, logoutPage, messagePage, userCodePage } from './pages.ts';
import { createMemoryStore } from './store.ts';
import { claimsOf, type User } from './users.ts';

export type ProviderSettings = {
  readonly users: readonly User[];
  readonly audience: string;
  readonly signingKey: JWK;
  /** Secret of the clients that stand for one user each (client_credentials). */
  readonly userClientSecret: string;
  readonly redirectUris: readonly string[];
  readonly webClient?: WebClient;
};

export type WebClient = { readonly clientId: string; readonly clientSecret: string; readonly origin: string };

/** The public client of people: device flow, or authorization code with PKCE; any port of the loopback address. */
export const PUBLIC_CLIENT_ID = 'skilltape-cli';
export const ACCESS_TOKEN_TTL_SECONDS = 3600;
const SESSION_TTL_SECONDS = 8 * 3600;
const SHORT_TTL_SECONDS = 600;
const PUBLIC_REDIRECT_URIS = ['http://127.0.0.1/callback', 'http://localhost/callback'];
const IDENTITY_SCOPES = 'openid profile email groups offline_access';
const API_SCOPE = 'api';

export function providerConfiguration(settings: ProviderSettings): Record<string, unknown> {
  return {
    adapter: createMemoryStore(),
    jwks: { keys: [settings.signingKey] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: [
      publicClient(settings),
      ...webClients(settings),
      ...settings.users.map(({ subject }) => userClient(subject, settings)),
    ],
    claims: { openid: ['sub'], profile: ['name'], email: ['email'], groups: ['groups'] },
    scopes: [...IDENTITY_SCOPES.split(' ')],
    clientBasedCORS: () => false,
    conformIdTokenClaims: false,
    findAccount: (_: unknown, subject: string) => findAccount(settings.users, subject),
    loadExistingGrant: (context: Context) => loadGrant(context, resourceOf(settings.audience)),
    extraTokenClaims: (_: unknown, token: IssuedToken) => claimsOf(settings.users, token.accountId ?? token.clientId),
    features: features(settings.audience),
    interactions: {
      policy: withoutConsentOfNativeClients(),
      url: (_: unknown, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}`,
    },
    issueRefreshToken: () => true,
    responseTypes: ['code'],
    pkce: { required: () => true },
    renderError: (context: Context, out: { readonly error: string; readonly error_description?: string }) => {
      context.type = 'html';
      context.body = messagePage('Sign in failed', out.error_description ?? out.error);
    },
    // Every lifetime is set, so that the library has no development default to warn about.
    ttl: {
      AccessToken: ACCESS_TOKEN_TTL_SECONDS,
      ClientCredentials: ACCESS_TOKEN_TTL_SECONDS,
      IdToken: ACCESS_TOKEN_TTL_SECONDS,
      DeviceCode: SHORT_TTL_SECONDS,
      Interaction: SHORT_TTL_SECONDS,
      Session: SESSION_TTL_SECONDS,
      Grant: SESSION_TTL_SECONDS,
      RefreshToken: SESSION_TTL_SECONDS,
    },
  };
}

/** A resource indicator must be a URI; an audience that is none gets one, and the token still names the audience. */
export function resourceOf(audience: string): string {
  return URL.canParse(audience) ? audience : `urn:audience:${encodeURIComponent(audience)}`;
}

function publicClient(settings: ProviderSettings): Record<string, unknown> {
  return {
    client_id: PUBLIC_CLIENT_ID,
    client_name: PUBLIC_CLIENT_ID,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: [...PUBLIC_REDIRECT_URIS, ...settings.redirectUris],
  };
}

/** The console: people come back to it after login and logout. */
function webClients({ webClient }: ProviderSettings): Record<string, unknown>[] {
  if (webClient === undefined) return [];
  const { clientId, clientSecret, origin } = webClient;
  return [
    {
      ...{ client_id: clientId, client_name: clientId, client_secret: clientSecret },
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [`${origin}/login/callback`],
      post_logout_redirect_uris: [`${origin}/logged-out`],
    },
  ];
}

/** A machine that acts as the user: the subject of client_credentials is the client's id. */
function userClient(subject: string, settings: ProviderSettings): Record<string, unknown> {
  return {
    client_id: subject,
    client_secret: settings.userClientSecret,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  };
}

function features(audience: string): Record<string, unknown> {
  const resource = resourceOf(audience);
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (context: Context, form: string, _: unknown, error: unknown) => {
        context.body = userCodePage(form, error !== undefined);
      },
      userCodeConfirmSource: (context: Context, form: string, _: unknown, __: unknown, code: string) => {
        context.body = confirmPage(form, context.oidc.client.clientId, code);
      },
      successSource: (context: Context) => {
        context.body = messagePage('Signed in', 'You may close this page.');
      },
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (context: Context, form: string) => {
        context.type = 'html';
        context.body = logoutPage(form);
      },
      postLogoutSuccessSource: (context: Context) => {
        context.type = 'html';
        context.body = messagePage('Signed out', 'You may close this page.');
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_: unknown, asked: string) => {
        if (asked !== resource) throw new errors.InvalidTarget();
        return {
          scope: API_SCOPE,
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: ACCESS_TOKEN_TTL_SECONDS,
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
  };
}

function findAccount(users: readonly User[], subject: string) {
  if (!users.some((user) => user.subject === subject)) return undefined;
  return { accountId: subject, claims: () => ({ sub: subject, ...claimsOf(users, subject) }) };
}

/** The public client is our own: signing in is enough, nobody is asked for consent. */
async function loadGrant({ oidc }: Context, resource: string) {
  const known = oidc.result?.consent?.grantId ?? oidc.session.grantIdFor(oidc.client.clientId);
  if (known !== undefined) return oidc.provider.Grant.find(known);
  const grant = new oidc.provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope(IDENTITY_SCOPES);
  grant.addResourceScope(resource, API_SCOPE);
  await grant.save();
  return grant;
}

function withoutConsentOfNativeClients(): unknown {
  const policy = interactionPolicy.base();
  policy.get('consent').checks.remove('native_client_prompt');
  return policy;
}
