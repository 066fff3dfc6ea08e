/** An OpenID Connect provider for tests and the demo: the real protocol, users from a list, and a login without password. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { text as readText } from 'node:stream/consumers';
import { Provider } from 'oidc-provider';
import { Agent, request as httpRequest } from 'undici';
import type { WebClient } from './identity-provider/configuration.ts';
import {
  ACCESS_TOKEN_TTL_SECONDS,
  PUBLIC_CLIENT_ID,
  providerConfiguration,
  resourceOf,
} from './identity-provider/configuration.ts';
import { loginPage } from './identity-provider/pages.ts';
import { createSigningKey, type Forgery, forgeToken, signToken } from './identity-provider/sign.ts';
import { claimsOf, type User } from './identity-provider/users.ts';

export type IdentityProviderOptions = {
  /** The host becomes part of the issuer. Port 0: any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The certificate must name the host. */
  readonly tls?: { readonly certificatePem: string; readonly privateKeyPem: string };
  readonly users: readonly User[];
  /** The `aud` of every access token. */
  readonly audience: string;
  /** More places where the public client may end a login; any port of http://127.0.0.1/callback is allowed already. */
  readonly redirectUris?: readonly string[];
  /** A program on a server at which people log in, with the origin at which it is reached. */
  readonly webClient?: WebClient;
  /** Secret of the clients that stand for one user each; random without. */
  readonly userClientSecret?: string;
};

export type TokenOptions = {
  /** 3600 without; negative for a token that has ended. */
  readonly expiresInSeconds?: number;
  readonly audience?: string;
  /** Added to the usual claims, or in their place. */
  readonly claims?: Readonly<Record<string, unknown>>;
};

export type IdentityProvider = {
  /** Without a slash at the end; `/.well-known/openid-configuration` stands below it. */
  readonly issuer: string;
  readonly jwksUri: string;
  readonly port: number;
  /** The public client for device flow and authorization code with PKCE. */
  readonly clientId: string;
  /**
   * A valid access token (JWT, RS256) of a user. Without options it comes from the token endpoint (client_credentials);
   * with options it is signed here with the same published key.
   */
  readonly token: (subject: string, options?: TokenOptions) => Promise<string>;
  /** A token that must be refused: right in all points but one. */
  readonly forge: (forgery: { readonly kind: Forgery; readonly subject: string }) => Promise<string>;
  readonly close: () => Promise<void>;
};

const LOGIN_BODY_MAX_BYTES = 4_096;

export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const key = await createSigningKey();
  const userClientSecret = options.userClientSecret ?? randomBytes(32).toString('base64url');
  const server = options.tls === undefined ? createServer() : createTlsServer(tlsOptions(options.tls));
  const { port, issuer } = await listen(server, options);
  const provider = new Provider(
    issuer,
    providerConfiguration({
      users: options.users,
      audience: options.audience,
      signingKey: key.jwk,
      userClientSecret,
      redirectUris: options.redirectUris ?? [],
      ...(options.webClient !== undefined && { webClient: options.webClient }),
    }),
  );
  server.on('request', answerWith(provider, options.users));
  const dispatcher = new Agent({
    connect: options.tls === undefined ? {} : { ca: options.tls.certificatePem, allowPartialTrustChain: true },
  });

  const claimsFor = (subject: string) => {
    if (!options.users.some((user) => user.subject === subject)) throw new RangeError(`no user ${subject}`);
    const identity = claimsOf(options.users, subject);
    return { iss: issuer, sub: subject, aud: options.audience, client_id: subject, ...identity };
  };
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    port,
    clientId: PUBLIC_CLIENT_ID,
    token: async (subject, wanted) => {
      const claims = claimsFor(subject);
      if (wanted === undefined) return fetchToken(issuer, dispatcher, subject, userClientSecret, options.audience);
      const changed = { ...claims, aud: wanted.audience ?? options.audience, ...wanted.claims };
      return signToken(key, changed, wanted.expiresInSeconds ?? ACCESS_TOKEN_TTL_SECONDS);
    },
    forge: async ({ kind, subject }) => forgeToken(key, claimsFor(subject), kind, ACCESS_TOKEN_TTL_SECONDS),
    close: async () => {
      await dispatcher.destroy();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function fetchToken(
  issuer: string,
  dispatcher: Agent,
  subject: string,
  secret: string,
  audience: string,
): Promise<string> {
  const form = {
    grant_type: 'client_credentials',
    client_id: subject,
    client_secret: secret,
    resource: resourceOf(audience),
  };
  const { statusCode, body } = await httpRequest(`${issuer}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
    dispatcher,
  });
  const answer = (await body.json()) as { access_token?: string };
  if (answer.access_token === undefined) throw new Error(`no token (${statusCode}): ${JSON.stringify(answer)}`);
  return answer.access_token;
}

/** The login page stands before the provider, which owns every other path. */
function answerWith(provider: Provider, users: readonly User[]) {
  const protocol = provider.callback();
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!request.url?.startsWith('/interaction/')) return protocol(request, response);
    try {
      await provider.interactionDetails(request, response);
      const accountId = request.method === 'POST' ? await readSubject(request) : null;
      if (accountId !== null && users.some(({ subject }) => subject === accountId)) {
        await provider.interactionFinished(request, response, { login: { accountId }, consent: {} });
        return;
      }
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
      response.end(loginPage(users));
    } catch {
      response.writeHead(400, { 'content-type': 'text/plain' }).end('This login is over. Start again.\n');
    }
  };
}

async function readSubject(request: IncomingMessage): Promise<string | null> {
  if (Number(request.headers['content-length'] ?? Number.NaN) <= LOGIN_BODY_MAX_BYTES) {
    return new URLSearchParams(await readText(request)).get('subject');
  }
  throw new RangeError('the login form is too large');
}

async function listen(server: Server, options: IdentityProviderOptions): Promise<{ port: number; issuer: string }> {
  const { host } = options.listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen.port, host, resolve);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : options.listen.port;
  const scheme = options.tls === undefined ? 'http' : 'https';
  return { port, issuer: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}` };
}

function tlsOptions(tls: NonNullable<IdentityProviderOptions['tls']>): { cert: string; key: string } {
  return { cert: tls.certificatePem, key: tls.privateKeyPem };
}
