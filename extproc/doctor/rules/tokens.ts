import { filtersOf, type Gateway, overridesOf } from '../model.ts';
import { providersOf, recordedOf, recordedRoutes, written } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';

const clockSkewMaxSeconds = 300;

/** Traps of `jwt_authn`: whose token is believed, where it is taken from, and what becomes of a bad one. */
export const tokenRules: readonly Rule[] = [
  onProviders({
    id: 'jwt-forwards-token',
    severity: 'critical',
    invariants: [3, 6],
    title: 'Verified tokens are sent on',
    why: "forward: true leaves the caller's token on the request, for the processor and for the upstream to see.",
    isFault: (provider) => provider.at('forward').isOn,
    at: (provider) => provider.at('forward'),
    found: () => 'forward is on',
    change: 'forward: false',
  }),
  onProviders({
    id: 'jwt-claims-in-headers',
    severity: 'critical',
    invariants: [5],
    title: 'Claims go into headers',
    why: 'Headers with claims go upstream, names and mail addresses with them, and are appended to a header of the same name that the caller sent.',
    isFault: (provider) =>
      provider.at('forward_payload_header').text !== '' || provider.at('claim_to_headers').items.length > 0,
    at: (provider) =>
      provider.at(provider.at('claim_to_headers').items.length > 0 ? 'claim_to_headers' : 'forward_payload_header'),
    found: (setting) => `${setting.path.at(-1)} is set`,
    change: 'remove it; skilltape reads the claims from payload_in_metadata',
  }),
  onProviders({
    id: 'jwt-no-payload',
    severity: 'critical',
    invariants: [5],
    title: 'The verified claims are kept nowhere',
    why: 'Without payload_in_metadata the processor learns of no identity and refuses every request.',
    isFault: (provider) => provider.at('payload_in_metadata').text === '',
    at: (provider) => provider.at('payload_in_metadata'),
    found: () => 'payload_in_metadata is not set',
    change: 'payload_in_metadata: payload_<name of the provider in skilltape.yaml>',
  }),
  onProviders({
    id: 'jwt-failure-unseen',
    severity: 'critical',
    invariants: [5],
    title: 'A failed token is not noticed',
    why: "A bad token beside a good one gives a payload all the same. Only failed_status_in_metadata tells that one failed, and a failure must be refused: it may be another person's token.",
    isFault: (provider) => provider.at('failed_status_in_metadata').text === '',
    at: (provider) => provider.at('failed_status_in_metadata'),
    found: () => 'failed_status_in_metadata is not set',
    change: 'failed_status_in_metadata: failed_<name of the provider in skilltape.yaml>',
  }),
  {
    id: 'jwt-shared-metadata-key',
    severity: 'critical',
    invariants: [5],
    title: 'Two providers write the same metadata key',
    why: "With one key for several providers a token of one passes on a route of the other, and a failure of one is overwritten by the other's payload.",
    find: (gateway) => {
      const seen = new Set<string>();
      return providersOf(gateway).flatMap(({ provider, filter }) =>
        ['payload_in_metadata', 'failed_status_in_metadata'].flatMap((key): Fault[] => {
          const at = provider.at(key);
          const name = `${filter.setting.path.join('/')} ${at.text}`;
          if (at.text === '' || !seen.has(name)) {
            seen.add(name);
            return [];
          }
          return [
            {
              at,
              found: `${key} ${at.text} is another provider's too`,
              change: 'a key that ends in the name of the provider',
            },
          ];
        }),
      );
    },
  },
  onProviders({
    id: 'jwt-token-in-query',
    severity: 'critical',
    invariants: [6],
    title: 'A token in the URL is taken as a login',
    why: 'Without from_headers Envoy also takes ?access_token=, which then is in every log on the way and goes upstream in the path.',
    isFault: (provider) => provider.at('from_headers').items.length === 0 || provider.at('from_params').isWritten,
    at: (provider) => provider.at(provider.at('from_params').isWritten ? 'from_params' : 'from_headers'),
    found: (setting) => (setting.isWritten ? 'from_params is set' : 'from_headers is not set'),
    change: 'from_headers: [{ name: authorization, value_prefix: "Bearer " }, { name: x-api-key }]',
  }),
  onProviders({
    id: 'jwt-token-in-cookie',
    severity: 'critical',
    invariants: [5],
    title: 'A token in a cookie is taken as a login',
    why: 'A browser sends cookies by itself: any web page could send requests in the name of who visits it.',
    isFault: (provider) => provider.at('from_cookies').isWritten,
    at: (provider) => provider.at('from_cookies'),
    found: () => 'from_cookies is set',
    change: 'remove from_cookies',
  }),
  onProviders({
    id: 'jwt-no-issuer',
    severity: 'critical',
    invariants: [5],
    title: 'The issuer of a token is not checked',
    why: 'Keys are often shared by the tenants of one provider; without issuer the tokens of all of them pass.',
    isFault: (provider) => provider.at('issuer').text === '',
    at: (provider) => provider.at('issuer'),
    found: () => 'issuer is not set',
    change: 'issuer: the iss of your tokens',
  }),
  onProviders({
    id: 'jwt-no-audience',
    severity: 'critical',
    invariants: [5],
    title: 'Tokens for other services are taken',
    why: 'Without audiences every token of the provider passes, whichever service of yours it was made for.',
    isFault: (provider) => provider.at('audiences').texts.length === 0,
    at: (provider) => provider.at('audiences'),
    found: () => 'audiences is empty',
    change: 'audiences: [the aud of tokens for this gateway]',
  }),
  onProviders({
    id: 'jwt-no-expiry',
    severity: 'critical',
    invariants: [5],
    title: 'Tokens without an end are taken',
    why: 'A token without exp is a password that nobody can take back.',
    isFault: (provider) => !provider.at('require_expiration').isOn,
    at: (provider) => provider.at('require_expiration'),
    found: (setting) => `require_expiration is ${written(setting)}`,
    change: 'require_expiration: true',
  }),
  onProviders({
    id: 'jwt-clock-skew',
    severity: 'warning',
    invariants: [5],
    title: 'Ended tokens are taken for long',
    why: 'By clock_skew_seconds a token lives longer than it says.',
    isFault: (provider) => (provider.at('clock_skew_seconds').number ?? 0) > clockSkewMaxSeconds,
    at: (provider) => provider.at('clock_skew_seconds'),
    found: (setting) => `clock_skew_seconds is ${written(setting)}`,
    change: 'clock_skew_seconds: 30',
  }),
  onProviders({
    id: 'jwt-keys-late',
    severity: 'warning',
    invariants: [],
    title: 'The first requests meet no keys',
    why: 'Unless the keys are fetched before the listener opens, requests right after a start are refused or wait for the provider.',
    isFault: (provider) => {
      const remote = provider.at('remote_jwks');
      return (
        remote.isWritten && (!remote.at('async_fetch').isWritten || remote.at('async_fetch', 'fast_listener').isOn)
      );
    },
    at: (provider) => provider.at('remote_jwks', 'async_fetch'),
    found: (setting) => (setting.isWritten ? 'fast_listener is on' : 'async_fetch is not set'),
    change: 'remote_jwks: { async_fetch: { fast_listener: false } }',
  }),
  {
    id: 'jwt-refuses-unrecorded',
    severity: 'warning',
    invariants: [5],
    title: 'Refused logins leave no record',
    why: 'A requirement that cannot fail is what lets a bad login reach skilltape, which refuses and records it in the form Claude clients read. What jwt_authn itself refuses (401, and 403 for a wrong audience) is in the access log alone.',
    find: (gateway) =>
      requirementsOf(gateway)
        .filter(({ requirement }) => requirement.isWritten && !passesFailed(requirement))
        .map(({ requirement }) => ({
          at: requirement,
          found: 'the requirement refuses missing or failed tokens in Envoy',
          change: 'requires_any: { requirements: [{ provider_name: ... }, { allow_missing_or_failed: {} }] }',
        })),
  },
  {
    id: 'jwt-not-everywhere',
    severity: 'critical',
    invariants: [5],
    title: 'On some paths nobody looks at tokens',
    why: 'Where no rule of jwt_authn applies, a token is neither verified nor taken off: it goes on as it came.',
    find: (gateway) => [
      ...recordedOf(gateway).flatMap(({ manager }) =>
        filtersOf(manager, 'JwtAuthentication').flatMap(({ config }): Fault[] => {
          const rules = config.at('rules');
          const change = 'rules: [{ match: { prefix: / }, requires: ... }]';
          const bypass = config.at('bypass_cors_preflight');
          if (bypass.isOn)
            return [{ at: bypass, found: 'bypass_cors_preflight is on', change: 'remove bypass_cors_preflight' }];
          const first = rules.items.find((rule) => rule.at('match', 'prefix').text === '/');
          if (first === undefined && !hasOwnMap(config))
            return [{ at: rules, found: 'no rule is for every path', change }];
          return rules.items
            .filter((rule) => !rule.at('requires').isWritten && !rule.at('requirement_name').isWritten)
            .map((at) => ({ at, found: 'the rule requires nothing', change }));
        }),
      ),
      ...recordedRoutes(gateway).flatMap(({ manager, route }) =>
        filtersOf(manager, 'JwtAuthentication').flatMap((filter) =>
          overridesOf(route, filter.name)
            .filter(({ isOff }) => isOff)
            .map(({ config }) => ({
              at: config,
              found: `jwt_authn is disabled on the route ${route.label}`,
              change: 'remove disabled',
            })),
        ),
      ),
    ],
  },
];

function hasOwnMap(config: Setting): boolean {
  return config.at('requirement_map').entries.length > 0 && config.at('rules').items.length === 0;
}

function onProviders(
  rule: Omit<Rule, 'find'> & {
    isFault(provider: Setting): boolean;
    at(provider: Setting): Setting;
    found(setting: Setting): string;
    change: string;
  },
): Rule {
  const { isFault, at, found, change, ...about } = rule;
  return {
    ...about,
    find: (gateway) =>
      providersOf(gateway)
        .filter(({ provider }) => isFault(provider))
        .map(({ name, provider }) => {
          const setting = at(provider);
          return { at: setting, found: `provider ${name}: ${found(setting)}`, change };
        }),
  };
}

function requirementsOf(gateway: Gateway): { requirement: Setting }[] {
  return recordedOf(gateway).flatMap(({ manager }) =>
    filtersOf(manager, 'JwtAuthentication').flatMap(({ config }) => [
      ...config.at('rules').items.map((rule) => ({ requirement: rule.at('requires') })),
      ...config.at('requirement_map').entries.map(([, requirement]) => ({ requirement })),
    ]),
  );
}

/** Whether a request passes this requirement whatever its tokens are. */
function passesFailed(requirement: Setting): boolean {
  if (requirement.at('allow_missing_or_failed').isWritten) return true;
  const any = requirement.at('requires_any', 'requirements').items;
  const all = requirement.at('requires_all', 'requirements').items;
  return any.some(passesFailed) || (all.length > 0 && all.every(passesFailed));
}
