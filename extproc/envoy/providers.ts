import { providerClusterName } from './clusters.ts';
import type { ProviderPlan } from './plan.ts';

/** The providers of `jwt_authn`, each with metadata keys of its own, which end in its name. */
export function providersOf(providers: readonly ProviderPlan[]): Record<string, unknown> {
  return Object.fromEntries(providers.map((provider) => [provider.name, providerOf(provider)]));
}

function providerOf({ name, issuer, audiences, jwksUri, jwksCacheMs }: ProviderPlan): unknown {
  return {
    issuer,
    audiences,
    require_expiration: true,
    clock_skew_seconds: 30,
    // A verified token is removed: neither skilltape nor the upstream sees it.
    forward: false,
    // Named, because the default also takes a token from the query, which then is in every log.
    from_headers: [
      { name: 'authorization', value_prefix: 'Bearer ' },
      { name: 'authorization', value_prefix: 'bearer ' },
      { name: 'x-api-key' },
    ],
    payload_in_metadata: `payload_${name}`,
    failed_status_in_metadata: `failed_${name}`,
    remote_jwks: {
      http_uri: { uri: jwksUri, cluster: providerClusterName(name), timeout: '5s' },
      cache_duration: `${jwksCacheMs / 1000}s`,
      async_fetch: { fast_listener: false },
    },
  };
}

/**
 * Failures pass on to skilltape, which refuses and records them. With one provider it is named, and Envoy says more of
 * why. Named beside others, each would fail at the tokens of the others; without names a token is verified by the
 * provider of its issuer alone, and skilltape asks whether that is one of the route's.
 */
export function requirementOf([first, ...others]: readonly ProviderPlan[]): unknown {
  if (first === undefined || others.length > 0) return { allow_missing_or_failed: {} };
  return { requires_any: { requirements: [{ provider_name: first.name }, { allow_missing_or_failed: {} }] } };
}
