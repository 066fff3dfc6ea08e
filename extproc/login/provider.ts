import { readFileSync } from 'node:fs';
import * as oidc from 'openid-client';
import { Agent, fetch } from 'undici';
import { SkilltapeError } from '../errors.ts';
import type { Loopback } from './loopback.ts';
import type { Refreshed, Tokens } from './session.ts';
import { isLoopback, type LoginSettings } from './settings.ts';

/** One identity provider and client, as its discovery document has it. */
export type Provider = {
  /** Authorization code with PKCE (RFC 7636), back to this machine (RFC 8252). `show` gets the address to open. */
  logInWithBrowser(loopback: Loopback, show: (url: string) => void): Promise<Tokens>;
  /** Device flow (RFC 8628). `show` gets the address, the code to type, and an address with the code in it where there is one. */
  logInWithDevice(
    show: (address: string, code: string, whole: string | null) => void,
    signal?: AbortSignal,
  ): Promise<Tokens>;
  refresh(refreshToken: string): Promise<Refreshed>;
  /** Does nothing where the provider has no endpoint for it. */
  revoke(refreshToken: string): Promise<void>;
  close(): Promise<void>;
};

const requestTimeoutSeconds = 10;
/** Says that it may be otherwise a little later. */
const passing: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error', 'slow_down']);

/** @throws SkilltapeError `not_found`: the provider does not answer, or not as one */
export async function openProvider(settings: LoginSettings): Promise<Provider> {
  const dispatcher = new Agent({ connect: settings.caFile === null ? {} : { ca: authorities(settings.caFile) } });
  const ownFetch = ((url: string, options: object) =>
    fetch(url, { ...options, dispatcher } as never)) as unknown as oidc.CustomFetch;
  const issuer = new URL(settings.issuer);
  const isPlain = issuer.protocol === 'http:' && isLoopback(issuer);
  try {
    const config = await oidc.discovery(issuer, settings.clientId, undefined, oidc.None(), {
      timeout: requestTimeoutSeconds,
      [oidc.customFetch]: ownFetch,
      ...(isPlain && { execute: [oidc.allowInsecureRequests] }),
    });
    return providerOf(config, settings, () => dispatcher.close());
  } catch (thrown) {
    await dispatcher.close();
    throw new SkilltapeError(
      'not_found',
      `the identity provider ${settings.issuer} does not answer: ${reasonOf(thrown)}`,
      {
        cause: thrown,
        remedy: 'check --issuer, the network, and --ca-file when its certificate is signed by an authority of your own',
      },
    );
  }
}

function providerOf(config: oidc.Configuration, settings: LoginSettings, close: () => Promise<void>): Provider {
  const target = targetOf(settings);
  return {
    close,
    logInWithBrowser: (loopback, show) => telling(() => withBrowser(config, settings, loopback, show)),
    logInWithDevice: (show, signal) =>
      telling(async () => {
        const device = await oidc.initiateDeviceAuthorization(config, { scope: settings.scope, ...target });
        show(device.verification_uri, device.user_code, device.verification_uri_complete ?? null);
        const answer = await oidc.pollDeviceAuthorizationGrant(
          config,
          device,
          target,
          signal === undefined ? {} : { signal },
        );
        return tokensOf(answer, settings);
      }),
    async refresh(refreshToken) {
      try {
        const answer = await oidc.refreshTokenGrant(config, refreshToken, target);
        return { kind: 'tokens', tokens: tokensOf(answer, settings) };
      } catch (thrown) {
        if (thrown instanceof SkilltapeError) throw thrown;
        const isFinal =
          thrown instanceof oidc.ResponseBodyError &&
          thrown.status < 500 &&
          thrown.status !== 429 &&
          !passing.has(thrown.error);
        return { kind: isFinal ? 'ended' : 'unreachable', why: reasonOf(thrown) };
      }
    },
    async revoke(refreshToken) {
      if (config.serverMetadata().revocation_endpoint === undefined) return;
      await telling(() => oidc.tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' }));
    },
  };
}

async function withBrowser(
  config: oidc.Configuration,
  settings: LoginSettings,
  loopback: Loopback,
  show: (url: string) => void,
): Promise<Tokens> {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: loopback.redirectUri,
    scope: settings.scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...targetOf(settings),
  });
  const arrived = loopback.redirected(expectedState);
  show(url.href);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce };
  return tokensOf(await oidc.authorizationCodeGrant(config, await arrived, checks, targetOf(settings)), settings);
}

function targetOf({ resource, audience }: LoginSettings): Record<string, string> {
  return { ...(resource !== null && { resource }), ...(audience !== null && { audience }) };
}

function tokensOf(
  answer: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
  { kind }: LoginSettings,
): Tokens {
  const token = kind === 'id_token' ? answer.id_token : answer.access_token;
  if (token === undefined) throw unusable('the provider gave no ID token', 'put openid into --scope');
  const claims = claimsOf(token);
  if (claims === null) {
    const remedy = 'ask for a token for the gateway with --resource or --audience, or use --id-token';
    throw unusable("the provider's access token is no JWT, which the gateway cannot verify", remedy);
  }
  const ends = [claims.exp, kind === 'access_token' ? nowSeconds() + (answer.expires_in ?? Number.NaN) : undefined];
  const known = ends.filter((end): end is number => typeof end === 'number' && Number.isFinite(end));
  if (known.length === 0)
    throw unusable('the token has no end', 'the gateway takes no such token: ask your administrator');
  return {
    token,
    refreshToken: answer.refresh_token ?? null,
    expiresAtMs: Math.min(...known) * 1000,
    subject: typeof claims.sub === 'string' ? claims.sub : '',
  };
}

/** Read for its end alone; the gateway is who verifies it. */
function claimsOf(token: string): Record<string, unknown> | null {
  const [, payload, signature, ...more] = token.split('.');
  if (payload === undefined || signature === undefined || more.length > 0) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function nowSeconds(): number {
  return Date.now() / 1000;
}

async function telling<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (thrown) {
    if (thrown instanceof SkilltapeError) throw thrown;
    throw new SkilltapeError('not_found', `the identity provider refused: ${reasonOf(thrown)}`, { cause: thrown });
  }
}

/** What the provider said, or why nothing was heard; never a token. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof oidc.ResponseBodyError || thrown instanceof oidc.AuthorizationResponseError) {
    return thrown.error_description === undefined ? thrown.error : `${thrown.error}: ${thrown.error_description}`;
  }
  const reasons: string[] = [];
  for (let at: unknown = thrown, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    if (at.message !== '') reasons.push(at.message);
  }
  return reasons.join(': ') || 'no reason was given';
}

function unusable(message: string, remedy: string): SkilltapeError {
  return new SkilltapeError('usage', message, { remedy });
}

function authorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw unusable(
      `--ca-file cannot be read: ${SkilltapeError.from(thrown).message}`,
      'name a file with certificates in PEM',
    );
  }
}
