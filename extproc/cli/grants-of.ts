import type { Config } from '../config/config.ts';
import { SkilltapeError } from '../errors.ts';
import { identityOf } from '../exchange/identity.ts';
import type { Asker } from '../grants/desk.ts';
import { Grants } from '../grants/grants.ts';
import { grantsFile } from '../grants/places.ts';
import { stateDirectory } from '../login/settings.ts';
import { LoginStore } from '../login/store.ts';
import { verifiedClaims } from '../login/verify-token.ts';
import type { GrantsDependencies } from './grants.ts';
import { revealOf } from './reveal-of.ts';
import { keptToken } from './token.ts';

/** Grants, policy and identity providers of the configuration. */
export function grantsOf(config: () => Config, environment: NodeJS.ProcessEnv): GrantsDependencies {
  const { groups, policy } = revealOf(config, environment);
  return {
    openGrants: () => new Grants(grantsFile(config().dataDirectory), config().grants),
    ...{ groups, policy },
    limits: () => config().grants,
    connections: () => Object.keys(config().connections),
    homeIssuer: () => homeIssuerOf(config()),
    async asker(given) {
      const token = given ?? (await keptToken(new LoginStore(stateDirectory(environment))));
      return askerOf(token, config());
    },
  };
}

/** Where people log in to the console; without one, the only issuer that there is. */
function homeIssuerOf({ console: section, identityProviders }: Config): string | null {
  if (section !== undefined) return identityProviders[section.identityProvider]?.issuer ?? null;
  const [first, ...others] = new Set(Object.values(identityProviders).map(({ issuer }) => issuer));
  return others.length === 0 ? (first ?? null) : null;
}

/** As the gateway itself would take the token. */
async function askerOf(token: string, { identityProviders }: Config): Promise<Asker> {
  const providers = Object.entries(identityProviders).map(([name, provider]) => ({ ...provider, name }));
  const { provider, claims } = await verifiedClaims(token, providers);
  const who = identityOf(claims as never, provider);
  if (who.kind === 'verified') return who.identity;
  throw new SkilltapeError('usage', `your token was refused: ${who.detail}`, {
    remedy: 'ask who manages the provider',
  });
}
