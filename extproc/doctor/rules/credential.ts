import { filtersOf, type Gateway, type HttpFilter, runsOn } from '../model.ts';
import { recordedOf, recordedRoutes, upstreamClusters } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';
import { locks } from './order.ts';

const credentialHeaders = /^(authorization|x-api-key|proxy-authorization)$/i;

/** Traps of the credential of Claude: who gets it, and who can read it. */
export const credentialRules: readonly Rule[] = [
  onInjectors({
    id: 'credential-of-caller-kept',
    severity: 'critical',
    invariants: [3],
    title: "The caller's own key goes upstream",
    why: 'Without overwrite the injector leaves a header alone that the caller sent: Claude is called with the key of the caller, past the connection.',
    isFault: (config) => !config.at('overwrite').isOn,
    at: (config) => config.at('overwrite'),
    found: 'overwrite is not on',
    change: 'overwrite: true',
  }),
  onInjectors({
    id: 'request-without-credential',
    severity: 'warning',
    invariants: [2],
    title: 'Requests go out without a credential',
    why: 'When the secret is missing, requests go upstream without one and are refused there, with whatever the caller sent.',
    isFault: (config) => config.at('allow_request_without_credential').isOn,
    at: (config) => config.at('allow_request_without_credential'),
    found: 'allow_request_without_credential is on',
    change: 'allow_request_without_credential: false',
  }),
  onInjectors({
    id: 'credential-not-watched',
    severity: 'warning',
    invariants: [],
    title: 'A new credential is not taken up',
    why: 'A file that is replaced by a rename is noticed only with watched_directory; otherwise the old key is used until a restart.',
    isFault: (config) =>
      pathSourceOf(config).isWritten && !pathSourceOf(config).at('watched_directory', 'path').isWritten,
    at: pathSourceOf,
    found: 'path_config_source has no watched_directory',
    change: 'watched_directory: { path: the folder of the file }',
  }),
  {
    id: 'credential-in-configuration',
    severity: 'critical',
    invariants: [6],
    title: 'A credential stands in the configuration',
    why: 'A key in a header rule or an inline secret is in every copy of the file and in the config dump, and cannot be replaced without a restart.',
    find: (gateway) => [
      ...addedHeaders(gateway)
        .filter(({ header }) => credentialHeaders.test(header.at('key').text))
        .filter(({ header }) => !/^%/.test(header.at('value').text))
        .map(({ header }) => ({
          at: header,
          found: `a value is added to the header ${header.at('key').text}`,
          change: 'credential_injector with a file that SDS reads',
        })),
      ...inlineSecrets(gateway).map((at) => ({
        at,
        found: 'a secret is written inline',
        change: 'name the file of the secret (sds_config.path_config_source, or filename)',
      })),
    ],
  },
  {
    id: 'credential-missing',
    severity: 'warning',
    invariants: [],
    title: 'A route has no credential',
    why: "Without one, Claude refuses every request of the route: the caller's own credentials were taken off.",
    find: (gateway) =>
      recordedRoutes(gateway)
        .filter(({ isRecorded, manager, route }) => {
          const injected = filtersOf(manager, 'CredentialInjector').some((filter) => runsOn(route, filter));
          return isRecorded && route.clusters.length > 0 && !injected && !addsCredential(gateway, route.levels);
        })
        .map(({ route }) => ({
          at: route.setting,
          found: `no credential_injector runs on the route ${route.label}`,
          change: 'a credential_injector behind ext_proc that runs on this route',
        })),
  },
  {
    id: 'credential-shared',
    severity: 'critical',
    invariants: [5],
    title: 'A route has two credentials',
    why: 'Of two injectors for one header the second wins: requests of one connection go out with the key of another.',
    find: (gateway) =>
      recordedRoutes(gateway).flatMap(({ manager, route }): Fault[] => {
        const running = filtersOf(manager, 'CredentialInjector').filter((filter) => runsOn(route, filter));
        const headers = running.map((filter) => injectedHeader(filter.config));
        if (new Set(headers).size === headers.length) return [];
        const names = running.map(({ name }) => name).join(' and ');
        return [
          { at: route.setting, found: `on the route ${route.label} run ${names}`, change: 'let one of them run' },
        ];
      }),
  },
  {
    id: 'credential-on-unrecorded-route',
    severity: 'critical',
    invariants: [1],
    title: 'An unrecorded route gets the credential',
    why: 'A route with ext_proc disabled still gets the key that credential_injector puts in, unless that is disabled there too or the lock stands before it.',
    find: (gateway) =>
      recordedRoutes(gateway)
        .filter(({ isRecorded, manager, route, position }) => {
          const locked = manager.filters.slice(position + 1).some((filter) => locks(route, filter));
          const injected = filtersOf(manager, 'CredentialInjector').some((filter) => runsOn(route, filter));
          return !isRecorded && injected && !locked;
        })
        .map(({ route }) => ({
          at: route.setting,
          found: `the route ${route.label} is not recorded and gets the credential`,
          change: 'record it, or disable credential_injector in its typed_per_filter_config',
        })),
  },
];

function onInjectors(
  rule: Omit<Rule, 'find'> & {
    isFault(config: Setting): boolean;
    at(config: Setting): Setting;
    found: string;
    change: string;
  },
): Rule {
  const { isFault, at, found, change, ...about } = rule;
  return {
    ...about,
    find: (gateway) =>
      injectorsOf(gateway)
        .filter(({ config }) => isFault(config))
        .map(({ config, name }) => ({ at: at(config), found: `${name}: ${found}`, change })),
  };
}

function injectorsOf(gateway: Gateway): HttpFilter[] {
  return recordedOf(gateway).flatMap(({ manager }) => filtersOf(manager, 'CredentialInjector'));
}

function secretOf(config: Setting): Setting {
  return config.at('credential', 'typed_config', 'credential');
}

function pathSourceOf(config: Setting): Setting {
  return secretOf(config).at('sds_config', 'path_config_source');
}

function injectedHeader(config: Setting): string {
  return config.at('credential', 'typed_config', 'header').text.toLowerCase() || 'authorization';
}

function addedHeaders(gateway: Gateway): { header: Setting; level: Setting }[] {
  const levels = new Map(
    recordedRoutes(gateway).flatMap(({ route }) => route.levels.map((level) => [level.path.join('/'), level])),
  );
  return [...levels.values()].flatMap((level) =>
    level.at('request_headers_to_add').items.map((one) => ({ header: one.at('header'), level })),
  );
}

function addsCredential(gateway: Gateway, levels: readonly Setting[]): boolean {
  const paths = levels.map(({ path }) => path.join('/'));
  return addedHeaders(gateway).some(({ header, level }) => {
    return paths.includes(level.path.join('/')) && credentialHeaders.test(header.at('key').text);
  });
}

/** Secrets and private keys whose text stands in the file. A config dump shows them as redacted: they were inline then too. */
function inlineSecrets(gateway: Gateway): Setting[] {
  const tls = [...recordedOf(gateway).map(({ manager }) => manager.filterChain), ...upstreamClusters(gateway)].flatMap(
    (one) =>
      one
        .at('transport_socket', 'typed_config', 'common_tls_context', 'tls_certificates')
        .items.map((certificate) => certificate.at('private_key')),
  );
  const secrets = gateway.root.at('static_resources', 'secrets').items.map((one) => one.at('generic_secret', 'secret'));
  return [...tls, ...secrets]
    .flatMap((source) => [source.at('inline_string'), source.at('inline_bytes')])
    .filter(({ isWritten }) => isWritten);
}
