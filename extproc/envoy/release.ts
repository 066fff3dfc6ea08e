import { credentialFilter } from './credentials.ts';
import type { EnvoyPlan } from './plan.ts';
import { releaseRoutesOf } from './routes.ts';

/** For each listener, filter and message of it, as the frame's own are written. */
const type = (name: string) => `type.googleapis.com/envoy.${name}`;

/** What of the frame it has in common with the listener of callers. */
type Common = { accessLogs: readonly unknown[]; headersToRemove: readonly string[] };

/** Its socket is made by Envoy with mode 0600, written in decimal: YAML versions disagree on octal numbers. */
const ownerOnly = 384;

/**
 * The listener by which skilltape sends held requests that people approved. It has the credential, so a unix socket of
 * Envoy's own user is its place, skilltape is asked of each request whether it is one of its own, and only what it said
 * so of has a credential and an upstream.
 */
export function releaseListener({ release }: EnvoyPlan, { accessLogs, headersToRemove }: Common): unknown {
  if (release === undefined) return null;
  const { socket, connections } = release;
  return {
    name: 'release',
    address: { pipe: { path: socket, mode: ownerOnly } },
    per_connection_buffer_limit_bytes: 1_048_576,
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
              stat_prefix: 'release',
              codec_type: 'HTTP1',
              server_header_transformation: 'PASS_THROUGH',
              // The request has the id that Envoy gave it when it came.
              generate_request_id: false,
              preserve_external_request_id: true,
              normalize_path: true,
              merge_slashes: true,
              path_with_escaped_slashes_action: 'REJECT_REQUEST',
              max_request_headers_kb: 80,
              common_http_protocol_options: {
                idle_timeout: '60s',
                max_headers_count: 136,
                max_stream_duration: '14400s',
              },
              request_headers_timeout: '10s',
              stream_idle_timeout: '660s',
              http_filters: [
                gateFilter,
                lockFilter,
                ...connections.map(credentialFilter),
                {
                  name: 'envoy.filters.http.router',
                  typed_config: {
                    '@type': type('extensions.filters.http.router.v3.Router'),
                    suppress_envoy_headers: true,
                  },
                },
              ],
              access_log: accessLogs,
              local_reply_config: ownAnswers,
              route_config: {
                name: 'release',
                request_headers_to_remove: headersToRemove,
                response_headers_to_remove: [envoyAnsweredHeader],
                virtual_hosts: [{ name: 'release', domains: ['*'], routes: releaseRoutesOf(connections) }],
              },
            },
          },
        ],
      },
    ],
  };
}

/** Of skilltape's own answers there (`exchange/envoy-answer.ts`). */
const envoyAnsweredHeader = 'x-skilltape-envoy-answered';

/** Marks what Envoy answers by itself, which else looks like an error of the upstream. */
const ownAnswers = {
  mappers: [
    {
      filter: {
        status_code_filter: {
          comparison: { op: 'GE', value: { default_value: 100, runtime_key: 'skilltape.release_answered' } },
        },
      },
      headers_to_add: [
        {
          header: { key: envoyAnsweredHeader, value: '%RESPONSE_CODE_DETAILS%' },
          append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
        },
      ],
    },
  ],
};

/** Asks skilltape of the headers alone: the body was judged and recorded when the caller sent it. */
const gateFilter = {
  name: 'envoy.filters.http.ext_proc',
  typed_config: {
    '@type': type('extensions.filters.http.ext_proc.v3.ExternalProcessor'),
    stat_prefix: 'skilltape_release',
    grpc_service: { envoy_grpc: { cluster_name: 'skilltape' } },
    failure_mode_allow: false,
    status_on_error: { code: 503 },
    processing_mode: {
      request_header_mode: 'SEND',
      request_body_mode: 'NONE',
      request_trailer_mode: 'SKIP',
      response_header_mode: 'SKIP',
      response_body_mode: 'NONE',
      response_trailer_mode: 'SKIP',
    },
    message_timeout: '30s',
    request_attributes: ['xds.route_name', 'source.address', 'request.id', 'request.protocol'],
    metadata_options: { receiving_namespaces: { untyped: ['skilltape'] } },
    mutation_rules: { disallow_expression: { regex: '^:(path|method|scheme|authority)$' } },
  },
};

/** The second lock, as the listener of callers has it. */
const lockFilter = {
  name: 'skilltape.released',
  typed_config: {
    '@type': type('extensions.filters.http.rbac.v3.RBAC'),
    rules: {
      action: 'ALLOW',
      policies: {
        released: {
          principals: [{ any: true }],
          permissions: [
            {
              sourced_metadata: {
                metadata_matcher: {
                  filter: 'skilltape',
                  path: [{ key: 'verdict' }],
                  value: { string_match: { exact: 'released' } },
                },
              },
            },
          ],
        },
      },
    },
  },
};

type EndReports = { filter: { and_filter: { filters: [{ metadata_filter: { matcher: unknown } }, ...unknown[]] } } };

/** The frame's logger of broken answers, for requests that were let through here. */
export function releasedEnds(logger: EndReports): unknown {
  const [verdict, ...others] = logger.filter.and_filter.filters;
  const matcher = {
    filter: 'skilltape',
    path: [{ key: 'verdict' }],
    value: { string_match: { exact: 'released' } },
  };
  const filters = [{ metadata_filter: { ...verdict.metadata_filter, matcher } }, ...others];
  return { ...logger, filter: { and_filter: { filters } } };
}

export const releaseComment = [
  ' By it skilltape sends held requests on that people approved while their answer had begun (connections with streamHolds).',
  ' It has the credential, so nobody else may reach it: a socket of this user alone, and skilltape is asked of each request',
  ' whether it is one of its own. Callers never come here: no route leads to it.',
].join('\n');
