import { type Part, type Parts, partsOf, put } from './parts.ts';
import { type ReleaseParts, withRelease } from './release-listener.ts';

/**
 * For one trap a configuration that has it and a near one that has not, both as changes of the shipped configuration.
 * @property also other traps that this change cannot be without
 * @property refused Envoy itself does not start with it: it is a trap of the file, and not of a running gateway
 */
export type Example = { bad(parts: Parts): void; good(parts: Parts): void; also?: readonly string[]; refused?: true };

const typeUrl = (name: string) => `type.googleapis.com/${name}`;
const withPart =
  (part: keyof Parts, patch: Part) =>
  (parts: Parts): void =>
    put(parts[part] as Part, patch);

function patches(part: keyof Parts, bad: Part, good: Part, more: Pick<Example, 'also' | 'refused'> = {}): Example {
  return { bad: withPart(part, bad), good: withPart(part, good), ...more };
}

const otherPort: Part = { name: 'second', address: { socket_address: { port_value: 8444 } } };
const http2Of = (keepalive: unknown): Part => ({
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      explicit_http_config: { http2_protocol_options: { connection_keepalive: keepalive } },
    },
  },
});
const overrides = (patch: Part): Part => ({ overrides: patch });
const modes = (patch: Part): Part => ({ processing_mode: patch });
const route = (patch: Part): Part => ({ route: patch });
const tls = (patch: Part): Part => ({ transport_socket: { typed_config: patch } });
const requirement = (...requirements: Part[]): Part => ({
  rules: [{ match: { prefix: '/' }, requires: { requires_any: { requirements } } }],
});
const lua: Part = {
  name: 'own.lua',
  typed_config: {
    '@type': typeUrl('envoy.extensions.filters.http.lua.v3.Lua'),
    default_source_code: { inline_string: 'function envoy_on_request(handle) end' },
  },
};
const move = (parts: Parts, filter: Part, before: Part): void => {
  parts.filters.splice(parts.filters.indexOf(filter), 1);
  parts.filters.splice(parts.filters.indexOf(before), 0, filter);
};
const secondRoute = (parts: Parts, patch: Part): void => {
  const copy = JSON.parse(JSON.stringify(parts.route)) as Part;
  put(copy, { name: 'second', match: { prefix: '/second/' } });
  put(copy, patch);
  (parts.host.routes as Part[]).unshift(copy);
};
const processorOff = (parts: Parts): Part => ({
  [String(parts.processorFilter.name)]: {
    '@type': typeUrl('envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute'),
    overrides: undefined,
    disabled: true,
  },
});
const lockOff = (parts: Parts): Part => ({
  [String(parts.lockFilter.name)]: { '@type': typeUrl('envoy.extensions.filters.http.rbac.v3.RBACPerRoute') },
});
/** A route that does not lead to Claude. */
const elsewhere = (parts: Parts): void => {
  const clusters = (parts.root.static_resources as Part).clusters as Part[];
  clusters.push({ name: 'status', type: 'STATIC', load_assignment: { cluster_name: 'status', endpoints: [] } });
};
const metadata = (list: readonly Part[]): Part => overrides({ grpc_initial_metadata: list });
const claude = { key: 'x-skilltape-connection', value: 'claude' };
const secondEndpoint = (parts: Parts, patch: Part): void => {
  const assignment = parts.processorCluster.load_assignment as { endpoints: { lb_endpoints: Part[] }[] };
  assignment.endpoints[0]?.lb_endpoints.push({
    endpoint: { address: { pipe: { path: '/run/skilltape/extproc-2.sock' } } },
  });
  put((parts.processor.grpc_service as Part).retry_policy as Part, patch);
};
const overTcp = (socket: unknown): Part => ({
  type: 'STATIC',
  load_assignment: {
    endpoints: [
      { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '10.0.0.5', port_value: 9443 } } } }] },
    ],
  },
  transport_socket: socket,
});
const mutualTls = (patch: Part): Part => ({
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': typeUrl('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext'),
    sni: 'skilltape.internal',
    common_tls_context: {
      tls_certificate_sds_secret_configs: [{ name: 'own' }],
      validation_context: {
        trusted_ca: { filename: '/etc/ssl/certs/ca-certificates.crt' },
        match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'skilltape.internal' } }],
      },
      ...patch,
    },
  },
});

const releasing = (bad: (release: ReleaseParts) => void, good?: (release: ReleaseParts) => void): Example => ({
  bad: (parts) => withRelease(parts, bad),
  good: (parts) => withRelease(parts, good),
});

export const examples: Readonly<Record<string, Example>> = {
  'ext-proc-missing': {
    bad: ({ root, listener }) => {
      const plain = JSON.parse(JSON.stringify(listener)) as Part;
      const manager = partsOf({ static_resources: { ...(root.static_resources as Part), listeners: [plain] } }).manager;
      manager.http_filters = (manager.http_filters as Part[]).slice(-1);
      put(plain, otherPort);
      ((root.static_resources as Part).listeners as Part[]).push(plain);
    },
    good: ({ root, listener }) => {
      const same = JSON.parse(JSON.stringify(listener)) as Part;
      put(same, otherPort);
      ((root.static_resources as Part).listeners as Part[]).push(same);
    },
  },
  'ext-proc-off': {
    bad: (parts) => secondRoute(parts, { typed_per_filter_config: processorOff(parts) }),
    good: (parts) => {
      elsewhere(parts);
      secondRoute(parts, { route: { cluster: 'status' }, typed_per_filter_config: processorOff(parts) });
    },
  },
  'no-release-lock': {
    bad: ({ filters, lockFilter }) => filters.splice(filters.indexOf(lockFilter), 1),
    good: ({ lockFilter }) => put(lockFilter, { name: 'another.name' }),
  },
  'ext-proc-before-jwt': {
    bad: (parts) => move(parts, parts.processorFilter, parts.jwtFilter),
    good: (parts) => parts.filters.unshift(JSON.parse(JSON.stringify(lua)) as Part),
    also: ['filter-behind-ext-proc'],
  },
  'no-jwt-authn': {
    bad: ({ filters, jwtFilter }) => filters.splice(filters.indexOf(jwtFilter), 1),
    good: ({ jwtFilter }) => put(jwtFilter, { name: 'another.name' }),
  },
  'credential-before-ext-proc': {
    bad: (parts) => move(parts, parts.injectorFilter, parts.processorFilter),
    good: ({ injectorFilter, route: { typed_per_filter_config: all }, injectorFilter: { name } }) => {
      put(injectorFilter, { name: 'another.name' });
      const own = (all as Part)[String(name)];
      put(all as Part, { [String(name)]: undefined, 'another.name': own });
    },
  },
  'filter-behind-ext-proc': {
    bad: ({ filters }) => filters.splice(-1, 0, JSON.parse(JSON.stringify(lua)) as Part),
    good: ({ filters }) => filters.unshift(JSON.parse(JSON.stringify(lua)) as Part),
  },
  'bodies-tapped': {
    bad: ({ filters }) =>
      filters.unshift({
        name: 'tap',
        typed_config: {
          '@type': typeUrl('envoy.extensions.filters.http.tap.v3.Tap'),
          common_config: { admin_config: { config_id: 'x' } },
        },
      }),
    good: ({ filters }) => filters.unshift(JSON.parse(JSON.stringify(lua)) as Part),
  },
  'client-address-unknown': patches(
    'processor',
    { request_attributes: ['xds.route_name'] },
    { request_attributes: ['request.id', 'source.address'] },
  ),
  'endings-unknown': patches(
    'processor',
    { response_attributes: [] },
    { response_attributes: ['response.code_details'] },
  ),
  'ext-proc-fails-open': patches('processor', { failure_mode_allow: true }, { failure_mode_allow: undefined }),
  'ext-proc-observes-only': patches('processor', { observability_mode: true }, { observability_mode: false }),
  'mode-override-allowed': patches('processor', { allow_mode_override: true }, { allow_mode_override: false }),
  'refusals-not-sent': patches(
    'processor',
    { disable_immediate_response: true },
    { disable_immediate_response: false },
  ),
  'route-chosen-again': patches('processor', { route_cache_action: 'CLEAR' }, { route_cache_action: 'RETAIN' }),
  'headers-kept-from-processor': patches(
    'processor',
    { forward_rules: { disallowed_headers: { patterns: [{ exact: 'content-encoding' }] } } },
    { forward_rules: undefined },
  ),
  'path-may-be-rewritten': patches(
    'processor',
    { mutation_rules: { disallow_expression: { regex: '^:(path|method)$' } } },
    { mutation_rules: { disallow_expression: { regex: ':.*' } } },
  ),
  'message-timeout-short': patches('processor', { message_timeout: '0.2s' }, { message_timeout: '10s' }),
  'message-timeout-long': patches('processor', { message_timeout: '600s' }, { message_timeout: '60s' }),
  'content-length-dropped': patches(
    'processor',
    { allow_content_length_header: undefined },
    { allow_content_length_header: true },
  ),
  'verdict-not-taken': patches(
    'processor',
    { metadata_options: { receiving_namespaces: { untyped: ['other'] } } },
    { metadata_options: { receiving_namespaces: { untyped: ['other', 'skilltape'] } } },
  ),
  'identity-not-forwarded': patches(
    'processor',
    { metadata_options: { forwarding_namespaces: { untyped: ['envoy.filters.http.rbac'] } } },
    {
      metadata_options: {
        forwarding_namespaces: { untyped: ['envoy.filters.http.rbac', 'envoy.filters.http.jwt_authn', 'x'] },
      },
    },
  ),
  'processor-retried-on-reset': {
    bad: withPart('processor', { grpc_service: { retry_policy: { retry_on: 'connect-failure,reset' } } }),
    good: (parts) => secondEndpoint(parts, { retry_on: 'connect-failure,reset' }),
  },
  'processor-not-retried': {
    bad: (parts) => {
      secondEndpoint(parts, {});
      put(parts.processor, { grpc_service: { retry_policy: undefined } });
    },
    good: withPart('processor', { grpc_service: { retry_policy: undefined } }),
  },
  'processor-not-in-a-cluster': patches(
    'processor',
    {
      grpc_service: {
        envoy_grpc: undefined,
        google_grpc: { target_uri: 'unix:/run/skilltape/extproc.sock', stat_prefix: 'x' },
        retry_policy: undefined,
      },
    },
    { grpc_service: { timeout: '0s' } },
    { also: ['ends-not-reported'] },
  ),
  'two-credentials-unseen': patches(
    'mark',
    {
      shadow_rules: {
        policies: { two_credentials: undefined, other: { principals: [{ any: true }], permissions: [{ any: true }] } },
      },
    },
    { shadow_rules: { policies: { other: { principals: [{ any: true }], permissions: [{ any: true }] } } } },
  ),
  'request-headers-not-seen': patches(
    'processor',
    modes({ request_header_mode: 'SKIP' }),
    modes({ request_header_mode: undefined }),
  ),
  'request-not-held-back': patches(
    'processor',
    modes({ request_body_mode: 'BUFFERED' }),
    modes({ request_body_mode: 4 }),
  ),
  'request-trailers-not-seen': patches(
    'processor',
    modes({ request_trailer_mode: 'SKIP' }),
    modes({ request_trailer_mode: 1 }),
    { refused: true },
  ),
  'response-headers-not-seen': patches(
    'processor',
    modes({ response_header_mode: 'SKIP' }),
    modes({ response_header_mode: 'DEFAULT' }),
  ),
  'answer-not-recorded': patches(
    'override',
    overrides(
      modes({ request_body_mode: 'FULL_DUPLEX_STREAMED', request_trailer_mode: 'SEND', response_trailer_mode: 'SEND' }),
    ),
    overrides(
      modes({
        request_body_mode: 'FULL_DUPLEX_STREAMED',
        request_trailer_mode: 'SEND',
        response_body_mode: 'STREAMED',
        response_trailer_mode: 'SEND',
      }),
    ),
  ),
  'response-trailers-not-seen': patches(
    'processor',
    modes({ response_trailer_mode: undefined }),
    modes({ response_trailer_mode: 'SEND' }),
  ),
  'connection-not-named': {
    bad: withPart('override', metadata([{ key: 'x-other', value: 'claude' }])),
    good: withPart('override', metadata([claude, { key: 'x-other', value: 'claude' }])),
  },
  'connection-from-caller': {
    bad: withPart('override', metadata([{ ...claude, value: '%REQ(x-connection)%' }])),
    good: withPart('override', metadata([{ ...claude, value: 'sandbox' }])),
  },
  'path-rewritten-unseen': {
    bad: (parts) => secondRoute(parts, route({ prefix_rewrite: '/' })),
    good: (parts) =>
      secondRoute(parts, {
        ...route({ prefix_rewrite: '/' }),
        typed_per_filter_config: {
          [String(parts.processorFilter.name)]: metadata([
            claude,
            { key: 'x-skilltape-path-prefix', value: '/second' },
          ]),
        },
      }),
  },
  'processor-replaced-on-route': patches(
    'override',
    overrides({ grpc_service: { envoy_grpc: { cluster_name: 'idp' } } }),
    overrides({ grpc_service: { envoy_grpc: { cluster_name: 'skilltape' } } }),
  ),
  'cluster-from-caller': {
    bad: (parts) => secondRoute(parts, route({ cluster: undefined, cluster_header: 'x-upstream' })),
    good: (parts) => secondRoute(parts, {}),
  },
  'request-mirrored': {
    bad: ({ route: one, upstreamCluster }) =>
      put(one, route({ request_mirror_policies: [{ cluster: upstreamCluster.name }] })),
    good: withPart('route', route({ request_mirror_policies: [] })),
  },
  'upstream-retried': patches(
    'route',
    route({ retry_policy: { retry_on: '5xx' } }),
    route({ retry_policy: undefined }),
  ),
  'redirect-followed': patches(
    'route',
    route({ internal_redirect_policy: {} }),
    route({ internal_redirect_policy: undefined }),
  ),
  'route-timeout-short': patches('route', route({ timeout: undefined }), route({ timeout: '900s' })),
  'route-idle-timeout': patches('route', route({ idle_timeout: '0s' }), route({ idle_timeout: undefined })),
  'host-of-caller-sent': patches(
    'route',
    route({ host_rewrite_literal: undefined }),
    route({ host_rewrite_literal: undefined, auto_host_rewrite: true }),
  ),
  'network-told-upstream': {
    bad: withPart('table', { request_headers_to_remove: ['x-forwarded-for'] }),
    good: ({ table, route: one }) => {
      put(one, { request_headers_to_remove: table.request_headers_to_remove });
      put(table, { request_headers_to_remove: undefined });
    },
  },
  'jwt-forwards-token': patches('provider', { forward: true }, { forward: undefined }),
  'jwt-claims-in-headers': patches(
    'provider',
    { claim_to_headers: [{ header_name: 'x-mail', claim_name: 'email' }] },
    { claim_to_headers: [] },
  ),
  'jwt-no-payload': patches('provider', { payload_in_metadata: undefined }, { payload_in_metadata: 'payload_other' }),
  'jwt-failure-unseen': patches(
    'provider',
    { failed_status_in_metadata: undefined },
    { failed_status_in_metadata: 'failed_other' },
  ),
  'jwt-shared-metadata-key': {
    bad: ({ jwt, provider }) =>
      put(jwt, { providers: { other: { ...provider, issuer: 'https://other.example.com' } } }),
    good: ({ jwt, provider }) =>
      put(jwt, {
        providers: {
          other: { ...provider, payload_in_metadata: 'payload_other', failed_status_in_metadata: 'failed_other' },
        },
      }),
  },
  'jwt-token-in-query': patches(
    'provider',
    { from_headers: undefined },
    { from_headers: [{ name: 'authorization', value_prefix: 'Bearer ' }] },
  ),
  'jwt-token-in-cookie': patches('provider', { from_cookies: ['session'] }, { from_cookies: undefined }),
  'jwt-no-issuer': patches('provider', { issuer: undefined }, { issuer: 'https://other.example.com' }),
  'jwt-no-audience': patches('provider', { audiences: [] }, { audiences: ['other'] }),
  'jwt-no-expiry': patches('provider', { require_expiration: undefined }, { require_expiration: true }),
  'jwt-clock-skew': patches('provider', { clock_skew_seconds: 3600 }, { clock_skew_seconds: undefined }),
  'jwt-keys-late': patches(
    'provider',
    { remote_jwks: { async_fetch: { fast_listener: true } } },
    { remote_jwks: { async_fetch: {} } },
  ),
  'jwt-refuses-unrecorded': {
    bad: ({ jwt }) =>
      put(jwt, requirement({ provider_name: Object.keys(jwt.providers as Part)[0] }, { allow_missing: {} })),
    good: ({ jwt }) =>
      put(
        jwt,
        requirement(
          {
            requires_all: {
              requirements: [{ provider_name: Object.keys(jwt.providers as Part)[0] }, { allow_missing: {} }],
            },
          },
          { allow_missing_or_failed: {} },
        ),
      ),
  },
  'jwt-not-everywhere': {
    bad: ({ jwt }) => put(jwt, { rules: [{ match: { prefix: '/v1/' }, requires: { allow_missing_or_failed: {} } }] }),
    good: ({ jwt }) =>
      put(jwt, {
        rules: [{ match: { prefix: '/v1/' }, requires: { allow_missing_or_failed: {} } }, ...(jwt.rules as Part[])],
      }),
  },
  'credential-of-caller-kept': patches('injector', { overwrite: false }, { overwrite: true }),
  'request-without-credential': patches(
    'injector',
    { allow_request_without_credential: true },
    { allow_request_without_credential: undefined },
  ),
  'credential-not-watched': patches(
    'injector',
    {
      credential: {
        typed_config: { credential: { sds_config: { path_config_source: { watched_directory: undefined } } } },
      },
    },
    { credential: { typed_config: { credential: { sds_config: { initial_fetch_timeout: '5s' } } } } },
  ),
  'credential-in-configuration': patches(
    'route',
    { request_headers_to_add: [{ header: { key: 'x-api-key', value: 'a key' } }] },
    { request_headers_to_add: [{ header: { key: 'x-team', value: 'a team' } }] },
  ),
  'credential-missing': {
    bad: ({ filters, injectorFilter, route: one }) => {
      filters.splice(filters.indexOf(injectorFilter), 1);
      put(one.typed_per_filter_config as Part, { [String(injectorFilter.name)]: undefined });
    },
    good: ({ route: { typed_per_filter_config: all }, injectorFilter }) => {
      put(injectorFilter, { disabled: true });
      put(all as Part, {
        [String(injectorFilter.name)]: { '@type': typeUrl('envoy.config.route.v3.FilterConfig'), config: {} },
      });
    },
  },
  'credential-shared': {
    bad: ({ filters, injectorFilter }) =>
      filters.splice(-1, 0, { ...injectorFilter, name: 'second', disabled: undefined }),
    good: ({ filters, injectorFilter }) => filters.splice(-1, 0, { ...injectorFilter, name: 'second', disabled: true }),
  },
  'credential-on-unrecorded-route': {
    bad: (parts) => {
      elsewhere(parts);
      secondRoute(parts, {
        route: { cluster: 'status' },
        typed_per_filter_config: { ...processorOff(parts), ...lockOff(parts) },
      });
    },
    good: (parts) => {
      elsewhere(parts);
      const off = { '@type': typeUrl('envoy.config.route.v3.FilterConfig'), disabled: true, config: undefined };
      const all = { ...processorOff(parts), ...lockOff(parts), [String(parts.injectorFilter.name)]: off };
      secondRoute(parts, { route: { cluster: 'status' }, typed_per_filter_config: all });
    },
  },
  'remote-address-not-used': patches('manager', { use_remote_address: undefined }, { use_remote_address: true }),
  'request-id-of-caller': patches(
    'manager',
    { preserve_external_request_id: true },
    { preserve_external_request_id: undefined },
  ),
  'identity-headers-kept': {
    bad: ({ manager }) => {
      const [extension] = manager.early_header_mutation_extensions as Part[];
      const config = extension?.typed_config as Part;
      config.mutations = (config.mutations as Part[]).slice(1);
    },
    good: ({ manager }) => {
      const [extension] = manager.early_header_mutation_extensions as Part[];
      const config = extension?.typed_config as Part;
      config.mutations = [...(config.mutations as Part[]).toReversed(), { remove: 'x-user' }];
    },
  },
  'trusted-hops-without-header': {
    bad: withPart('manager', { xff_num_trusted_hops: 1 }),
    good: ({ manager }) => {
      const [extension] = manager.early_header_mutation_extensions as Part[];
      const config = extension?.typed_config as Part;
      const others = (config.mutations as Part[]).filter((one) => !JSON.stringify(one).includes('x-forwarded-'));
      config.mutations = [...others, { remove: 'x-forwarded-host' }];
      put(manager, { xff_num_trusted_hops: 1 });
    },
  },
  'source-from-header': {
    bad: withPart('manager', {
      use_remote_address: false,
      original_ip_detection_extensions: [
        {
          name: 'header',
          typed_config: {
            '@type': typeUrl('envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig'),
            header_name: 'x-source',
          },
        },
      ],
    }),
    good: withPart('manager', { original_ip_detection_extensions: [] }),
    also: ['remote-address-not-used'],
  },
  'path-not-normalised': patches('manager', { normalize_path: false }, { normalize_path: 'yes' }),
  'slashes-not-merged': patches('manager', { merge_slashes: undefined }, { merge_slashes: true }),
  'escaped-slashes-kept': patches(
    'manager',
    { path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD' },
    { path_with_escaped_slashes_action: 2 },
  ),
  'upgrade-allowed': patches(
    'manager',
    { upgrade_configs: [{ upgrade_type: 'websocket' }] },
    { upgrade_configs: [{ upgrade_type: 'websocket', enabled: false }] },
  ),
  'idle-timeout-off': patches('manager', { stream_idle_timeout: '0s' }, { stream_idle_timeout: '1200s' }),
  'idle-timeout-short': patches('manager', { stream_idle_timeout: '60s' }, { stream_idle_timeout: undefined }),
  'stream-unbounded': patches(
    'manager',
    { common_http_protocol_options: { max_stream_duration: undefined } },
    { common_http_protocol_options: { max_stream_duration: '3600s' } },
  ),
  'slow-headers': patches('manager', { request_headers_timeout: undefined }, { request_headers_timeout: '5s' }),
  'errors-not-in-envelope': patches('manager', { local_reply_config: undefined }, {}),
  'listener-plain': {
    bad: withPart('chain', { transport_socket: undefined }),
    good: ({ listener, chain }) => {
      put(chain, { transport_socket: undefined });
      put(listener, { address: { socket_address: { address: '127.0.0.1' } } });
    },
  },
  'connection-buffer-large': patches(
    'listener',
    { per_connection_buffer_limit_bytes: 268435456 },
    { per_connection_buffer_limit_bytes: undefined },
  ),
  'processor-health-unchecked': patches(
    'processorCluster',
    {
      health_checks: [
        {
          timeout: '1s',
          interval: '1s',
          no_traffic_interval: '1s',
          unhealthy_threshold: 2,
          healthy_threshold: 1,
          tcp_health_check: {},
        },
      ],
    },
    {
      health_checks: [
        {
          timeout: '1s',
          interval: '1s',
          no_traffic_interval: '1s',
          unhealthy_threshold: 2,
          healthy_threshold: 1,
          grpc_health_check: {},
        },
      ],
    },
  ),
  'processor-health-slow': patches(
    'processorCluster',
    {
      health_checks: [
        { timeout: '1s', interval: '1s', unhealthy_threshold: 2, healthy_threshold: 1, grpc_health_check: {} },
      ],
    },
    {
      health_checks: [
        {
          timeout: '2s',
          interval: '2s',
          no_traffic_interval: '2s',
          unhealthy_threshold: 2,
          healthy_threshold: 1,
          grpc_health_check: {},
        },
      ],
    },
  ),
  'processor-keepalive-missing': patches(
    'processorCluster',
    http2Of(undefined),
    http2Of({ interval: '2s', timeout: '2s' }),
  ),
  'processor-panic': patches(
    'processorCluster',
    { common_lb_config: { healthy_panic_threshold: undefined } },
    { common_lb_config: { healthy_panic_threshold: {} } },
  ),
  'processor-without-http2': patches(
    'processorCluster',
    { typed_extension_protocol_options: undefined },
    {
      typed_extension_protocol_options: undefined,
      http2_protocol_options: { connection_keepalive: { interval: '1s', timeout: '1s' } },
    },
    { also: ['processor-keepalive-missing'], refused: true },
  ),
  'processor-unprotected': patches(
    'processorCluster',
    overTcp(mutualTls({ tls_certificate_sds_secret_configs: undefined })),
    overTcp(
      mutualTls({
        tls_certificate_sds_secret_configs: [
          {
            name: 'own',
            sds_config: { resource_api_version: 'V3', path_config_source: { path: '/etc/skilltape/sds/own.yaml' } },
          },
        ],
      }),
    ),
  ),
  'breakers-low': patches(
    'upstreamCluster',
    { circuit_breakers: undefined },
    { circuit_breakers: { thresholds: [{ max_requests: 5000, max_pending_requests: 5000 }] } },
  ),
  'upstream-plain': patches('upstreamCluster', { transport_socket: undefined }, tls({ sni: 'api.anthropic.com' })),
  'upstream-not-verified': patches(
    'keyCluster',
    tls({ common_tls_context: { validation_context: { match_typed_subject_alt_names: undefined } } }),
    tls({
      auto_sni_san_validation: true,
      common_tls_context: { validation_context: { match_typed_subject_alt_names: undefined } },
    }),
  ),
  'upstream-without-sni': patches(
    'upstreamCluster',
    tls({ sni: undefined }),
    tls({ sni: undefined, auto_host_sni: true }),
  ),
  'tls-old': patches(
    'upstreamCluster',
    tls({ common_tls_context: { tls_params: { tls_minimum_protocol_version: 'TLSv1_1' } } }),
    tls({ common_tls_context: { tls_params: undefined } }),
  ),
  'keys-over-http': patches('keyCluster', { transport_socket: undefined }, {}),
  'cluster-unknown': {
    bad: (parts) => secondRoute(parts, route({ cluster: 'mistyped' })),
    good: (parts) => secondRoute(parts, {}),
    refused: true,
  },
  'access-log-missing': {
    bad: ({ logs }) => logs.shift(),
    good: ({ logs }) => logs.push(logs.shift() as Part),
  },
  'access-log-incomplete': patches(
    'log',
    { log_format: { json_format: { details: undefined } } },
    { log_format: { json_format: { method: undefined } } },
  ),
  'access-log-filtered': {
    bad: ({ logs }) => put(logs[0] as Part, { filter: { not_health_check_filter: {} } }),
    good: ({ logs }) => {
      const copy = JSON.parse(JSON.stringify(logs[0])) as Part;
      put(copy, { filter: { not_health_check_filter: {} }, typed_config: { path: '/tmp/doctor-example.log' } });
      logs.push(copy);
    },
  },
  'access-log-has-secrets': patches(
    'log',
    { log_format: { json_format: { key: '%REQ(X-API-KEY):8%' } } },
    { log_format: { json_format: { agent: '%REQ(USER-AGENT):80%' } } },
  ),
  'access-log-has-query': patches(
    'log',
    { log_format: { json_format: { path: '%REQ(:PATH)%' } } },
    { log_format: { json_format: { path: '%PATH(NQ)%' } } },
  ),
  'ends-not-reported': {
    bad: ({ logs }) => logs.splice(1, 1),
    good: (parts) => {
      parts.logs.reverse();
      withRelease(parts);
    },
  },
  'admin-on-network': patches(
    'admin',
    { address: { pipe: undefined, socket_address: { address: '0.0.0.0', port_value: 9901 } } },
    { address: { pipe: { mode: 256 } } },
  ),
  'admin-open-to-users': patches(
    'admin',
    { address: { pipe: { mode: 438 } } },
    { address: { pipe: { mode: undefined } } },
  ),
  'graceful-close-off': patches(
    'root',
    {
      layered_runtime: {
        layers: [
          { name: 'skilltape', static_layer: { 'envoy.reloadable_features.ext_proc_graceful_grpc_close': false } },
        ],
      },
    },
    {
      layered_runtime: {
        layers: [
          {
            name: 'skilltape',
            static_layer: { envoy: { reloadable_features: { ext_proc_graceful_grpc_close: true } } },
          },
        ],
      },
    },
  ),
  'long-exchange-kills-envoy': patches(
    'root',
    { grpc_async_client_manager_config: { max_cached_entry_idle_duration: '600s' } },
    { grpc_async_client_manager_config: { max_cached_entry_idle_duration: '86400s' } },
  ),
  'connections-unbounded': patches('root', { overload_manager: undefined }, {}),
  'listener-tls-old': patches(
    'chain',
    tls({ common_tls_context: { tls_params: { tls_minimum_protocol_version: 'TLSv1_0' } } }),
    tls({ common_tls_context: { tls_params: { tls_minimum_protocol_version: 'TLSv1_3' } } }),
  ),
  'not-in-this-file': {
    bad: ({ manager }) =>
      put(manager, {
        route_config: undefined,
        rds: {
          route_config_name: 'x',
          config_source: { resource_api_version: 'V3', path_config_source: { path: '/etc/skilltape/rds.yaml' } },
        },
      }),
    good: ({ manager }) => put(manager, { route_config: { name: 'another' } }),
  },
  'release-listener-open': releasing(
    ({ listener }) => put(listener, { address: { pipe: { path: '/run/skilltape/release.sock', mode: 0o666 } } }),
    ({ listener }) => put(listener, { address: { pipe: { path: '/run/skilltape/release.sock', mode: 0o700 } } }),
  ),
  'release-not-asked': releasing(
    ({ filters, lock }) => void filters.splice(filters.indexOf(lock), 1),
    ({ processor }) => put(processor, { processing_mode: { request_header_mode: 'DEFAULT' } }),
  ),
  'release-route-not-marked': releasing(({ manager, route }) => {
    const copy = JSON.parse(JSON.stringify(route)) as Part;
    put(copy, { name: 'second', match: { prefix: '/second/' } });
    const overrides = { grpc_initial_metadata: [{ key: 'x-skilltape-connection', value: 'claude' }] };
    put(copy.typed_per_filter_config as Part, { 'envoy.filters.http.ext_proc': { overrides } });
    const host = ((manager.route_config as Part).virtual_hosts as Part[])[0] as Part;
    (host.routes as Part[]).unshift(copy);
  }),
  'release-without-credential': releasing(({ route }) =>
    put(route, { typed_per_filter_config: { 'skilltape.credential.claude': undefined } }),
  ),
  'release-timeout-short': releasing(
    ({ manager }) => put(manager, { stream_idle_timeout: '30s' }),
    ({ manager }) => put(manager, { stream_idle_timeout: '300s' }),
  ),
  'release-answers-not-told-apart': releasing(
    ({ manager }) => put(manager, { route_config: { response_headers_to_remove: [] } }),
    ({ manager }) => put(manager, { route_config: { response_headers_to_remove: ['X-Skilltape-Envoy-Answered'] } }),
  ),
};
