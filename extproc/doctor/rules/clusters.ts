import { onClusters, optionsOf, processorClusters, providersOf, upstreamClusters, written } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';

/** What a held request or a running answer takes one of. */
const openMin = 4_096;
/** A frozen processor is to be found within seconds. */
const ejectionMaxMs = 10_000;
const keepaliveMaxMs = 10_000;

/** Traps of clusters: how a dead or frozen processor is noticed, and how much may be open at once. */
export const clusterRules: readonly Rule[] = [
  onClusters(processorClusters, {
    id: 'processor-health-unchecked',
    severity: 'critical',
    invariants: [2],
    title: 'A frozen processor is not taken out',
    why: 'A stopped process still has its socket open: only a health check of gRPC tells that nobody answers. Without it new requests hang until the idle timeout.',
    find: (cluster) => {
      const at = cluster.at('health_checks');
      if (at.items.some((one) => one.at('grpc_health_check').isWritten)) return [];
      return [
        {
          at,
          found: 'there is no grpc_health_check',
          change: 'health_checks of the cluster skilltape in envoy/envoy.yaml',
        },
      ];
    },
  }),
  onClusters(processorClusters, {
    id: 'processor-health-slow',
    severity: 'warning',
    invariants: [2],
    title: 'A dead processor is found late',
    why: 'Interval, timeout and threshold together say how long new requests go to a processor that does not answer.',
    find: (cluster) =>
      cluster.at('health_checks').items.flatMap((check): Fault[] => {
        const intervalMs = Math.max(
          check.at('interval').durationMs ?? 0,
          check.at('no_traffic_interval').durationMs ?? 60_000,
        );
        const spanMs =
          (intervalMs + (check.at('timeout').durationMs ?? 0)) * (check.at('unhealthy_threshold').number ?? 1);
        if (spanMs <= ejectionMaxMs) return [];
        return [
          {
            at: check,
            found: `it takes up to ${spanMs / 1000} s`,
            change: 'interval: 0.5s, no_traffic_interval: 0.5s, timeout: 1s, unhealthy_threshold: 2',
          },
        ];
      }),
  }),
  onClusters(processorClusters, {
    id: 'processor-keepalive-missing',
    severity: 'critical',
    invariants: [2],
    title: 'Open requests hang in a frozen processor',
    why: 'No timer runs on the request side in FULL_DUPLEX_STREAMED mode, and the health check ends no stream: the pings of HTTP/2 do.',
    find: (cluster) => {
      const at = http2Of(cluster).at('connection_keepalive');
      const spanMs = (at.at('interval').durationMs ?? Number.POSITIVE_INFINITY) + (at.at('timeout').durationMs ?? 0);
      if (spanMs <= keepaliveMaxMs) return [];
      const found = at.isWritten ? `it takes ${spanMs / 1000} s` : 'connection_keepalive is not set';
      return [
        { at, found, change: 'http2_protocol_options: { connection_keepalive: { interval: 1s, timeout: 1.5s } }' },
      ];
    },
  }),
  onClusters(processorClusters, {
    id: 'processor-panic',
    severity: 'warning',
    invariants: [2],
    title: 'Dead processors get requests when half of them are dead',
    why: 'Below the panic threshold (50 % unless set) Envoy no longer looks at health at all.',
    find: (cluster) => {
      const at = cluster.at('common_lb_config', 'healthy_panic_threshold');
      if ((at.number ?? (at.isWritten ? 0 : 50)) === 0) return [];
      return [
        {
          at,
          found: `healthy_panic_threshold is ${written(at)}`,
          change: 'common_lb_config: { healthy_panic_threshold: { value: 0 } }',
        },
      ];
    },
  }),
  onClusters(processorClusters, {
    id: 'processor-without-http2',
    severity: 'critical',
    invariants: [],
    title: 'The processor is spoken to in HTTP/1.1',
    why: 'gRPC needs HTTP/2: without it every request is refused.',
    find: (cluster) => {
      if (http2Of(cluster).isWritten || cluster.at('http2_protocol_options').isWritten) return [];
      return [
        {
          at: cluster.at('typed_extension_protocol_options'),
          found: 'http2_protocol_options is not set',
          change: 'explicit_http_config: { http2_protocol_options: {} }',
        },
      ];
    },
  }),
  onClusters((gateway) => [...processorClusters(gateway), ...upstreamClusters(gateway)], {
    id: 'breakers-low',
    severity: 'warning',
    invariants: [10],
    title: 'Circuit breakers refuse requests',
    why: 'Every held request and every running answer holds one stream; by default 1024 are allowed, and what comes beyond gets 500.',
    find: (cluster) => {
      const at = cluster.at('circuit_breakers', 'thresholds');
      const thresholds =
        at.items.find((one) => /^(DEFAULT|0|)$/.test(written(one.at('priority')).replace('not set', ''))) ?? at.at(0);
      const low = ['max_requests', 'max_pending_requests'].filter(
        (key) => (thresholds.at(key).number ?? 1024) < openMin,
      );
      if (low.length === 0) return [];
      return [
        {
          at,
          found: `${low.join(' and ')} below ${openMin}`,
          change:
            'thresholds: [{ max_connections: 8192, max_pending_requests: 8192, max_requests: 8192, max_retries: 1024 }]',
        },
      ];
    },
  }),
  {
    id: 'cluster-unknown',
    severity: 'critical',
    invariants: [],
    title: 'A cluster is named that is not there',
    why: 'Requests that need it are refused.',
    find: (gateway) => {
      if (gateway.unseen.length > 0) return [];
      const names = gateway.managers.flatMap(({ routes, filters }) => [
        ...routes.flatMap(({ clusters }) => clusters),
        ...filters.map(({ config }) => config.at('grpc_service', 'envoy_grpc', 'cluster_name')),
      ]);
      return [
        ...names,
        ...providersOf(gateway).map(({ provider }) => provider.at('remote_jwks', 'http_uri', 'cluster')),
      ]
        .filter(({ text }) => text !== '' && !gateway.clusters.has(text))
        .map((at) => ({ at, found: `there is no cluster ${at.text}`, change: 'name a cluster of this configuration' }));
    },
  },
];

function http2Of(cluster: Setting): Setting {
  const options = optionsOf(cluster).at('explicit_http_config', 'http2_protocol_options');
  return options.isWritten ? options : cluster.at('http2_protocol_options');
}
