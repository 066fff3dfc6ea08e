import { filtersOf, type HttpFilter, overridesOf, type Route, runsOn } from '../model.ts';
import { answerNamespace, onProcessor, recordedOf, recordedRoutes, releasingOf, upstreamNames } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';

/** What may stand behind the processor: it neither reads nor changes what was judged. */
const harmlessBehind = ['RBAC', 'CredentialInjector', 'Router', 'FaultDelay', 'HealthCheck'];

/** Traps of the filter chain: what is missing, what is off, and what stands in the wrong order. */
export const orderRules: readonly Rule[] = [
  {
    id: 'ext-proc-missing',
    severity: 'critical',
    invariants: [1],
    title: 'A way to Claude has no processor',
    why: 'What goes upstream by a listener without ext_proc, or by a TCP proxy, is neither judged nor recorded.',
    find: (gateway) => {
      const change = 'the six filters of envoy/envoy.yaml between your own and the router, in their order';
      if (recordedOf(gateway).length === 0) {
        return [
          {
            at: gateway.managers[0]?.config.at('http_filters') ?? gateway.root,
            found: 'no connection manager has an ext_proc filter',
            change,
          },
        ];
      }
      const upstreams = upstreamNames(gateway);
      const recorded = new Set([...recordedOf(gateway), ...releasingOf(gateway)].map(({ manager }) => manager));
      const unrecorded = gateway.managers.filter((manager) => !recorded.has(manager));
      const names = [
        ...unrecorded.flatMap(({ routes }) => routes.flatMap(({ clusters }) => clusters)),
        ...gateway.tcpTargets,
      ];
      return names
        .filter(({ text }) => upstreams.has(text))
        .map((at) => ({ at, found: `it leads to the cluster ${at.text} without ext_proc`, change }));
    },
  },
  {
    id: 'ext-proc-off',
    severity: 'critical',
    invariants: [1],
    title: 'The processor is switched off',
    why: 'A filter that is disabled, or optional and not there, records nothing; a route that disables it goes upstream unrecorded.',
    find: (gateway) => {
      const upstreams = upstreamNames(gateway);
      return [
        ...recordedOf(gateway)
          .flatMap(({ processor: { setting } }) => [setting.at('disabled'), setting.at('is_optional')])
          .filter(({ isOn }) => isOn)
          .map((at) => ({ at, found: `${at.path.at(-1)} is on for ext_proc`, change: `remove ${at.path.at(-1)}` })),
        ...recordedRoutes(gateway)
          .filter(({ isRecorded, route }) => !isRecorded && leadsTo(route.clusters, upstreams))
          .map(({ route, processor }) => ({
            at: route.setting.at('typed_per_filter_config', processor.name),
            found: `the route ${route.label} leads to an upstream with ext_proc disabled`,
            change: 'remove disabled, or give the route a cluster that does not lead to Claude',
          })),
      ];
    },
  },
  {
    id: 'no-release-lock',
    severity: 'critical',
    invariants: [1, 2],
    title: 'Nothing asks for the verdict behind the processor',
    why: 'When a processor ends its stream without an error, Envoy sends the request on, whatever failure_mode_allow says. An rbac filter behind ext_proc that asks for the verdict allow is the second lock.',
    find: (gateway) =>
      recordedRoutes(gateway).flatMap(({ manager, position, route, isRecorded }): Fault[] => {
        if (!isRecorded) return [];
        const lock = manager.filters.slice(position + 1).find(isLock);
        const change =
          'the rbac filter skilltape.released of envoy/envoy.yaml, behind ext_proc and before the credential';
        if (lock === undefined) {
          if (route !== manager.routes[0]) return [];
          return [
            { at: manager.config.at('http_filters'), found: 'no filter behind ext_proc asks for the verdict', change },
          ];
        }
        const behind = manager.filters
          .slice(0, manager.filters.indexOf(lock))
          .find(({ type }) => type === 'CredentialInjector');
        if (behind !== undefined && route === manager.routes[0] && manager.filters.indexOf(behind) > position) {
          return [{ at: lock.setting, found: 'the lock stands behind the credential', change }];
        }
        if (locks(route, lock)) return [];
        return [
          {
            at: route.setting.at('typed_per_filter_config'),
            found: `the lock is off on the route ${route.label}`,
            change,
          },
        ];
      }),
  },
  {
    id: 'ext-proc-before-jwt',
    severity: 'critical',
    invariants: [5],
    title: 'The processor runs before the token is verified',
    why: 'Then it sees the token and no identity: every request is refused, and the token is in its hands.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager, position }) =>
        filtersOf(manager, 'JwtAuthentication')
          .filter((filter) => manager.filters.indexOf(filter) > position)
          .map(({ setting }) => ({
            at: setting,
            found: 'jwt_authn stands behind ext_proc',
            change: 'move jwt_authn before ext_proc',
          })),
      ),
  },
  {
    id: 'no-jwt-authn',
    severity: 'critical',
    invariants: [5],
    title: 'Nobody verifies tokens',
    why: 'Identity is what jwt_authn verified; without the filter nobody has one.',
    find: (gateway) =>
      recordedOf(gateway)
        .filter(({ manager }) => filtersOf(manager, 'JwtAuthentication').length === 0)
        .map(({ manager }) => ({
          at: manager.config.at('http_filters'),
          found: 'there is no jwt_authn filter',
          change: 'the filter envoy.filters.http.jwt_authn of envoy/envoy.yaml, before ext_proc',
        })),
  },
  {
    id: 'credential-before-ext-proc',
    severity: 'critical',
    invariants: [6],
    title: 'The credential is put in before the processor',
    why: 'Then skilltape sees the key of the connection, which no process but Envoy may have.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager, position }) =>
        filtersOf(manager, 'CredentialInjector')
          .filter((filter) => manager.filters.indexOf(filter) < position)
          .map(({ setting }) => ({
            at: setting,
            found: 'credential_injector stands before ext_proc',
            change: 'move credential_injector behind ext_proc and the lock',
          })),
      ),
  },
  {
    id: 'filter-behind-ext-proc',
    severity: 'critical',
    invariants: [3],
    title: 'A filter behind the processor may change what was judged',
    why: 'What stands behind ext_proc sees the request after it was judged and recorded: what it changes goes upstream and is in no record.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager, position }) =>
        manager.filters
          .slice(position + 1)
          .filter(({ type }) => !harmlessBehind.includes(type))
          .map(({ setting, name, type }) => ({
            at: setting,
            found: `${name || type} stands behind ext_proc`,
            change: 'move it before ext_proc',
          })),
      ),
  },
  {
    id: 'bodies-tapped',
    severity: 'critical',
    invariants: [6],
    title: 'Bodies are written elsewhere in the clear',
    why: 'A tap writes prompts and answers, or the token of a caller, to files or the admin interface, past the seal and past retention.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager }) => [
        ...filtersOf(manager, 'Tap').map(({ setting }) => ({
          at: setting,
          found: 'there is a tap filter',
          change: 'remove it',
        })),
        ...[manager.filterChain, ...gateway.clusters.values()]
          .map((holder) => holder.at('transport_socket', 'typed_config'))
          .filter(({ type }) => type === 'Tap')
          .map((at) => ({ at, found: 'the transport socket is a tap', change: 'use the tls transport socket alone' })),
      ]),
  },
  onProcessor({
    id: 'client-address-unknown',
    severity: 'warning',
    invariants: [5],
    title: 'The source of requests is not told',
    why: 'Without the attribute source.address the record does not say where a request came from, and refusals cannot be bounded per source.',
    at: (config) => config.at('request_attributes'),
    isFault: (setting) => !setting.texts.includes('source.address') || !setting.texts.includes('request.id'),
    found: () => 'request_attributes lack source.address or request.id',
    change: 'request_attributes: [xds.route_name, source.address, request.id, request.protocol]',
  }),
  onProcessor({
    id: 'endings-unknown',
    severity: 'warning',
    invariants: [4],
    title: 'Why Envoy answered is not told',
    why: "Without response.code_details an answer that Envoy made itself cannot be told from the upstream's.",
    at: (config) => config.at('response_attributes'),
    isFault: (setting) => !setting.texts.includes('response.code_details'),
    found: () => 'response_attributes lack response.code_details',
    change: 'response_attributes: [response.code, response.code_details, upstream.address]',
  }),
];

function leadsTo(clusters: readonly { text: string }[], upstreams: ReadonlySet<string>): boolean {
  return clusters.some(({ text }) => upstreams.has(text));
}

/** Whether the lock holds on a route, which may put rules of its own in the place of the filter's. */
export function locks(route: Route, filter: HttpFilter): boolean {
  const own = overridesOf(route, filter.name)[0]?.config.at('rbac');
  const rules = own?.isWritten ? { ...filter, config: own } : filter;
  return isLock(rules) && runsOn(route, filter);
}

/** Lets a request pass only where the metadata of skilltape says `verdict: allow`. */
export function isLock({ type, config, isOff }: HttpFilter): boolean {
  const rules = config.at('rules');
  if (type !== 'RBAC' || isOff || (rules.at('action').choice(['ALLOW', 'DENY', 'LOG']) || 'ALLOW') !== 'ALLOW')
    return false;
  const policies = rules.at('policies').entries;
  return (
    policies.length > 0 &&
    policies.every(
      ([, policy]) => asksForVerdict(policy.at('permissions').value) || asksForVerdict(policy.at('principals').value),
    )
  );
}

/** Every alternative must ask for it; a list of permissions is a choice between them. */
function asksForVerdict(alternatives: unknown): boolean {
  if (!Array.isArray(alternatives) || alternatives.length === 0) return false;
  return alternatives.every((one: unknown) => {
    const text = JSON.stringify(one);
    return (
      text.includes(`"filter":"${answerNamespace}"`) &&
      text.includes('"key":"verdict"') &&
      /"exact":"allow"/.test(text) &&
      !/"invert":true|"not_rule"|"or_rules"/.test(text)
    );
  });
}
