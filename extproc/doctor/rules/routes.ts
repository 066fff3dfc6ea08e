import { overridesOf, type Route } from '../model.ts';
import { clusterNameOf, metadataOf, recordedRoutes, written } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';

const connectionKey = 'x-skilltape-connection';
const prefixKey = 'x-skilltape-path-prefix';
const routeTimeoutMinMs = 600_000;
const insideHeaders = ['x-forwarded-for', 'x-forwarded-proto', 'x-envoy-external-address'];

/** Traps of routes: which connection they are for, where they lead, and how often a request is sent. */
export const routeRules: readonly Rule[] = [
  onRecordedRoutes({
    id: 'connection-not-named',
    severity: 'critical',
    invariants: [2],
    title: 'A route names no connection',
    why: 'The connection decides identity provider and policy. It comes from the route, because a header could be forged; a route without one is refused.',
    find: (route, filterName) => {
      const metadata = metadataOf(route, filterName);
      if (metadata.get(connectionKey) !== undefined) return [];
      const at = route.setting.at('typed_per_filter_config', filterName);
      return [
        {
          at,
          found: `the route ${route.label} has no ${connectionKey}`,
          change: `overrides: { grpc_initial_metadata: [{ key: ${connectionKey}, value: <connection> }] }`,
        },
      ];
    },
  }),
  onRecordedRoutes({
    id: 'connection-from-caller',
    severity: 'critical',
    invariants: [5],
    title: 'A caller chooses its connection',
    why: 'Metadata that is taken from the request is what the caller says.',
    find: (route, filterName) =>
      [...metadataOf(route, filterName)]
        .filter(([key, value]) => key.startsWith('x-skilltape-') && /%.*%/.test(value.text))
        .map(([key, at]) => ({
          at,
          found: `${key} is taken from the request`,
          change: `value: the name of the connection`,
        })),
  }),
  onRecordedRoutes({
    id: 'path-rewritten-unseen',
    severity: 'critical',
    invariants: [5],
    title: 'The upstream gets another path than was judged',
    why: 'Policy reads the path as the caller wrote it. A route that takes a prefix off says so to skilltape; other rewrites cannot be followed.',
    find: (route, filterName) => {
      const rewrite = ['regex_rewrite', 'path_rewrite_policy', 'path_rewrite']
        .map((key) => route.action.at(key))
        .find(({ isWritten }) => isWritten);
      if (rewrite !== undefined) {
        return [
          {
            at: rewrite,
            found: `the route ${route.label} rewrites its path`,
            change: `prefix_rewrite: / and ${prefixKey}`,
          },
        ];
      }
      const prefix = route.action.at('prefix_rewrite');
      if (!prefix.isWritten) return [];
      const matched = route.setting.at('match', 'prefix').text;
      const told = metadataOf(route, filterName).get(prefixKey)?.text;
      if (prefix.text === matched && told === undefined) return [];
      if (prefix.text === '/' && told !== undefined && matched.replace(/\/$/, '') === told) return [];
      return [
        {
          at: prefix,
          found: `the route ${route.label} takes ${matched || 'its match'} off and names ${told ?? 'no prefix'}`,
          change: `{ key: ${prefixKey}, value: ${matched.replace(/\/$/, '') || '/<prefix>'} } with prefix_rewrite: /`,
        },
      ];
    },
  }),
  onRecordedRoutes({
    id: 'processor-replaced-on-route',
    severity: 'critical',
    invariants: [1],
    title: 'A route asks another processor',
    why: 'An override of grpc_service sends the stream elsewhere: what answers there decides, and records nothing here.',
    find: (route, filterName, processor) =>
      overridesOf(route, filterName)
        .map(({ config }) => config.at('overrides'))
        .filter(
          (overrides) =>
            overrides.at('grpc_service').isWritten && clusterNameOf(overrides).text !== clusterNameOf(processor).text,
        )
        .map((overrides) => ({
          at: overrides.at('grpc_service'),
          found: `the route ${route.label} has a grpc_service of its own`,
          change: 'remove grpc_service from the override',
        })),
  }),
  onRecordedRoutes({
    id: 'cluster-from-caller',
    severity: 'critical',
    invariants: [5],
    title: 'The caller chooses the upstream',
    why: 'cluster_header takes the name of the cluster from the request: any cluster of the file can be reached, with the credential.',
    find: (route) =>
      ['cluster_header', 'cluster_specifier_plugin', 'inline_cluster_specifier_plugin']
        .map((key) => route.action.at(key))
        .filter(({ isWritten }) => isWritten)
        .map((at) => ({
          at,
          found: `the route ${route.label} has ${at.path.at(-1)}`,
          change: 'cluster: the name of the upstream',
        })),
  }),
  onRecordedRoutes({
    id: 'request-mirrored',
    severity: 'critical',
    invariants: [1],
    title: 'Requests are sent to a second place',
    why: 'A mirror gets prompts and the credential, and its answers are in no record.',
    find: (route) =>
      [...route.levels.slice(-2), route.action]
        .map((level) => level.at('request_mirror_policies'))
        .filter(({ items }) => items.length > 0)
        .map((at) => ({ at, found: `the route ${route.label} is mirrored`, change: 'remove request_mirror_policies' })),
  }),
  onRecordedRoutes({
    id: 'upstream-retried',
    severity: 'warning',
    invariants: [4],
    title: 'Envoy sends requests to Claude again',
    why: 'A request that Claude may have answered is sent once more: it costs twice, and the record shows one answer. Clients retry by themselves.',
    find: (route) =>
      [route.action, ...route.levels.slice(-2)]
        .flatMap((level) => [level.at('retry_policy'), level.at('hedge_policy')])
        .filter(({ isWritten }) => isWritten)
        .map((at) => ({
          at,
          found: `the route ${route.label} has ${at.path.at(-1)}`,
          change: `remove ${at.path.at(-1)}`,
        })),
  }),
  onRecordedRoutes({
    id: 'redirect-followed',
    severity: 'critical',
    invariants: [1],
    title: 'Envoy follows redirects of the upstream',
    why: 'An answer with a redirect has Envoy send the request, and the credential with it, to where the upstream says.',
    find: (route) =>
      [route.action.at('internal_redirect_policy'), route.action.at('internal_redirect_action')]
        .filter(({ isWritten }) => isWritten)
        .map((at) => ({ at, found: `the route ${route.label} follows redirects`, change: `remove ${at.path.at(-1)}` })),
  }),
  onRecordedRoutes({
    id: 'route-timeout-short',
    severity: 'warning',
    invariants: [],
    title: 'Long answers are cut',
    why: 'The timeout of a route is for the whole answer, and 15 s unless set; an answer of Claude may stream for minutes.',
    find: (route) => {
      const at = route.action.at('timeout');
      const timeoutMs = at.durationMs ?? 15_000;
      if (timeoutMs === 0 || timeoutMs >= routeTimeoutMinMs) return [];
      return [{ at, found: `timeout of the route ${route.label} is ${written(at)}`, change: 'timeout: 0s' }];
    },
  }),
  onRecordedRoutes({
    id: 'route-idle-timeout',
    severity: 'warning',
    invariants: [2, 10],
    title: 'The idle timeout of a route does not fit',
    why: "A route's own idle_timeout takes the place of stream_idle_timeout: 0 lets a frozen processor hang requests without end, a short one gives held requests up.",
    find: (route) => {
      const at = route.action.at('idle_timeout');
      if (at.durationMs === undefined || (at.durationMs >= 300_000 && at.durationMs <= 3_600_000)) return [];
      return [
        { at, found: `idle_timeout of the route ${route.label} is ${written(at)}`, change: 'idle_timeout: 660s' },
      ];
    },
  }),
  onRecordedRoutes({
    id: 'host-of-caller-sent',
    severity: 'warning',
    invariants: [3],
    title: "The upstream gets the gateway's host name",
    why: 'Without a rewrite the Host of the caller goes upstream; Claude serves by its own name, and yours is nothing that it needs.',
    find: (route) => {
      const keys = ['host_rewrite_literal', 'auto_host_rewrite', 'host_rewrite'];
      if (keys.some((key) => route.action.at(key).isWritten)) return [];
      return [
        {
          at: route.action,
          found: `the route ${route.label} keeps the caller's host`,
          change: 'host_rewrite_literal: api.anthropic.com',
        },
      ];
    },
  }),
  onRecordedRoutes({
    id: 'network-told-upstream',
    severity: 'warning',
    invariants: [3],
    title: 'Addresses of your network go upstream',
    why: 'Envoy adds the address of the caller and how it came; that is not for the upstream.',
    find: (route) => {
      const removed = new Set(
        route.levels.flatMap((level) => level.at('request_headers_to_remove').texts.map((name) => name.toLowerCase())),
      );
      const kept = insideHeaders.filter((name) => !removed.has(name));
      const table = route.levels.at(-1) ?? route.setting;
      if (kept.length === 0) return [];
      return [
        {
          at: table.at('request_headers_to_remove'),
          found: `not removed on the route ${route.label}: ${kept.join(', ')}`,
          change: `request_headers_to_remove: [${insideHeaders.join(', ')}]`,
        },
      ];
    },
  }),
];

/** A rule for each recorded route that leads to a cluster. */
function onRecordedRoutes(
  rule: Omit<Rule, 'find'> & { find(route: Route, filterName: string, processor: Setting): Fault[] },
): Rule {
  const { find, ...about } = rule;
  return {
    ...about,
    find: (gateway) =>
      recordedRoutes(gateway)
        .filter(({ isRecorded }) => isRecorded)
        .flatMap(({ route, processor }) => find(route, processor.name, processor.config)),
  };
}
