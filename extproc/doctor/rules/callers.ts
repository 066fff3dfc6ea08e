import { onManagers, recordedOf, written } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';

/** Headers that would be believed to say who or where a caller is. */
const forgeable = [
  'x-skilltape-connection',
  'x-skilltape-path-prefix',
  'x-auth-request-user',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
  'forwarded',
];
const idleTimeoutMinMs = 300_000;
const idleTimeoutMaxMs = 3_600_000;
const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** Traps of the connection manager: what of a caller's own words is believed, and how long it may take. */
export const callerRules: readonly Rule[] = [
  onManagers({
    id: 'remote-address-not-used',
    severity: 'critical',
    invariants: [5],
    title: 'The caller says where it comes from',
    why: 'Without use_remote_address Envoy takes X-Forwarded-For and x-request-id from the caller: it can forge its source, and hide an exchange behind an id that was seen before.',
    at: (config) => config.at('use_remote_address'),
    isFault: ({ isOn }) => !isOn,
    found: (setting) => `use_remote_address is ${written(setting)}`,
    change: 'use_remote_address: true',
  }),
  {
    id: 'request-id-of-caller',
    severity: 'critical',
    invariants: [5],
    title: "The caller's request id is kept",
    why: 'Attempts are told apart by the request id: a caller that chooses it can pass a request off as a second attempt of another.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager: { config } }): Fault[] => {
        const [keep, make] = [config.at('preserve_external_request_id'), config.at('generate_request_id')];
        if (keep.isOn)
          return [
            { at: keep, found: 'preserve_external_request_id is on', change: 'preserve_external_request_id: false' },
          ];
        if (!make.isWritten || make.isOn) return [];
        return [{ at: make, found: 'generate_request_id is off', change: 'generate_request_id: true' }];
      }),
  },
  {
    id: 'identity-headers-kept',
    severity: 'critical',
    invariants: [5],
    title: 'Identity headers of the caller stay on the request',
    why: 'A header that says who the caller is, or for which connection a request is, can be sent by anyone. Removed before the first filter, nothing can read it.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager: { config } }): Fault[] => {
        const at = config.at('early_header_mutation_extensions');
        const removals = removalsOf(at);
        const isTrusted = (config.at('xff_num_trusted_hops').number ?? 0) > 0;
        const kept = forgeable.filter(
          (name) => !(isTrusted && name === 'x-forwarded-for') && !removals.some((removal) => removes(removal, name)),
        );
        if (kept.length === 0) return [];
        const change = 'early_header_mutation_extensions of envoy/envoy.yaml';
        return [{ at, found: `not removed: ${kept.join(', ')}`, change }];
      }),
  },
  {
    id: 'trusted-hops-without-header',
    severity: 'warning',
    invariants: [5],
    title: 'The trusted load balancer is not heard',
    why: 'With trusted hops the source is read from x-forwarded-for; removed before that, every request comes from the load balancer.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager: { config } }): Fault[] => {
        const hops = config.at('xff_num_trusted_hops');
        const isRemoved = removalsOf(config.at('early_header_mutation_extensions')).some((one) =>
          removes(one, 'x-forwarded-for'),
        );
        if ((hops.number ?? 0) === 0 || !isRemoved) return [];
        return [
          {
            at: hops,
            found: `${hops.number} hops are trusted and x-forwarded-for is removed`,
            change: 'let x-forwarded-for through, or xff_num_trusted_hops: 0',
          },
        ];
      }),
  },
  onManagers({
    id: 'source-from-header',
    severity: 'critical',
    invariants: [5],
    title: 'The source is read from a header',
    why: 'original_ip_detection_extensions take the place of the address of the connection; a header can be sent by anyone.',
    at: (config) => config.at('original_ip_detection_extensions'),
    isFault: (setting) => setting.items.some((one) => one.at('typed_config').type === 'CustomHeaderConfig'),
    found: () => 'custom_header decides the source address',
    change: 'remove it; use xff_num_trusted_hops behind a load balancer',
  }),
  onManagers({
    id: 'path-not-normalised',
    severity: 'critical',
    invariants: [5],
    title: 'One path has many spellings',
    why: 'Route and policy must read the path as the upstream will: /v1/./messages or /v1/%6dessages would be judged as another endpoint.',
    at: (config) => config.at('normalize_path'),
    isFault: ({ isOn }) => !isOn,
    found: (setting) => `normalize_path is ${written(setting)}`,
    change: 'normalize_path: true',
  }),
  onManagers({
    id: 'slashes-not-merged',
    severity: 'critical',
    invariants: [5],
    title: 'Double slashes make another path',
    why: '//v1/messages is another endpoint for route and policy, and the same for many servers.',
    at: (config) => config.at('merge_slashes'),
    isFault: ({ isOn }) => !isOn,
    found: (setting) => `merge_slashes is ${written(setting)}`,
    change: 'merge_slashes: true',
  }),
  onManagers({
    id: 'escaped-slashes-kept',
    severity: 'critical',
    invariants: [5],
    title: 'Encoded slashes pass',
    why: 'A path with %2F is one segment for the route and two for a server that decodes it; taken apart and sent on, what was judged is not what is sent.',
    at: (config) => config.at('path_with_escaped_slashes_action'),
    isFault: (setting) =>
      !/^(REJECT_REQUEST|UNESCAPE_AND_REDIRECT)$/.test(
        setting.choice(['', 'KEEP_UNCHANGED', 'REJECT_REQUEST', 'UNESCAPE_AND_REDIRECT', 'UNESCAPE_AND_FORWARD']),
      ),
    found: (setting) => `path_with_escaped_slashes_action is ${written(setting)}`,
    change: 'path_with_escaped_slashes_action: REJECT_REQUEST',
  }),
  onManagers({
    id: 'upgrade-allowed',
    severity: 'critical',
    invariants: [1],
    title: 'Connections may be upgraded',
    why: 'Behind an upgrade (websocket, CONNECT) bytes flow that are no request and no answer: they are not judged.',
    at: (config) => config.at('upgrade_configs'),
    isFault: (setting) => setting.items.some((one) => one.at('enabled').value !== false),
    found: () => 'upgrade_configs are set',
    change: 'remove upgrade_configs',
  }),
  onManagers({
    id: 'idle-timeout-off',
    severity: 'warning',
    invariants: [2, 10],
    title: 'A frozen processor hangs requests without end',
    why: 'On the request side no timer but the idle timeout runs in FULL_DUPLEX_STREAMED mode.',
    at: (config) => config.at('stream_idle_timeout'),
    isFault: (setting) => setting.durationMs === 0 || (setting.durationMs ?? 0) > idleTimeoutMaxMs,
    found: (setting) => `stream_idle_timeout is ${written(setting)}`,
    change: 'stream_idle_timeout: 660s',
  }),
  onManagers({
    id: 'idle-timeout-short',
    severity: 'warning',
    invariants: [],
    title: 'Held requests are given up too early',
    why: 'While a request is held, or Claude thinks, no byte flows; a shorter idle timeout answers it with 504.',
    at: (config) => config.at('stream_idle_timeout'),
    isFault: ({ durationMs }) => durationMs !== undefined && durationMs > 0 && durationMs < idleTimeoutMinMs,
    found: (setting) => `stream_idle_timeout is ${written(setting)}`,
    change: 'stream_idle_timeout: 660s',
  }),
  {
    id: 'stream-unbounded',
    severity: 'warning',
    invariants: [10],
    title: 'An answer may stream for ever',
    why: 'The record of an exchange that never ends keeps the journal from being freed.',
    find: (gateway) =>
      recordedOf(gateway)
        .map(({ manager }) => manager.config.at('common_http_protocol_options', 'max_stream_duration'))
        .filter(({ durationMs }) => (durationMs ?? 0) === 0)
        .map((at) => ({
          at,
          found: `max_stream_duration is ${written(at)}`,
          change: 'common_http_protocol_options: { max_stream_duration: 14400s }',
        })),
  },
  onManagers({
    id: 'slow-headers',
    severity: 'warning',
    invariants: [10],
    title: 'Callers may take any time for their headers',
    why: 'Connections that send a byte now and then use the connection limit up.',
    at: (config) => config.at('request_headers_timeout'),
    isFault: ({ durationMs }) => (durationMs ?? 0) === 0,
    found: (setting) => `request_headers_timeout is ${written(setting)}`,
    change: 'request_headers_timeout: 10s',
  }),
  onManagers({
    id: 'errors-not-in-envelope',
    severity: 'warning',
    invariants: [2],
    title: "Envoy's own errors cannot be read by Claude clients",
    why: 'A processor that is down gives an empty body; clients expect an error in the form of Claude.',
    at: (config) => config.at('local_reply_config'),
    isFault: ({ isWritten }) => !isWritten,
    found: () => 'local_reply_config is not set',
    change: 'local_reply_config of envoy/envoy.yaml',
  }),
  {
    id: 'listener-plain',
    severity: 'critical',
    invariants: [6],
    title: 'Callers are served without TLS',
    why: 'Tokens, prompts and answers can be read on the way.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager: { listener, filterChain } }): Fault[] => {
        const address = listener.at('address', 'socket_address', 'address');
        const isLocal = listener.at('address', 'pipe').isWritten || loopback.test(address.text);
        if (isLocal || filterChain.at('transport_socket').isWritten) return [];
        const change = 'a transport_socket with DownstreamTlsContext in its filter chain';
        return [{ at: listener.at('address'), found: `${address.text || 'the listener'} has no TLS`, change }];
      }),
  },
  {
    id: 'connection-buffer-large',
    severity: 'warning',
    invariants: [10],
    title: 'Each connection may take much memory',
    why: 'The buffer limit is per connection: with thousands of them Envoy dies of it, and with it every open answer. Bodies need none in this mode.',
    find: (gateway) =>
      recordedOf(gateway)
        .map(({ manager }) => manager.listener.at('per_connection_buffer_limit_bytes'))
        .filter(({ number }) => (number ?? 0) > 16 * 1024 * 1024)
        .map((at) => ({
          at,
          found: `per_connection_buffer_limit_bytes is ${written(at)}`,
          change: 'per_connection_buffer_limit_bytes: 1048576',
        })),
  },
];

/** Mutations that run before route and filters. */
function removalsOf(extensions: Setting): Setting[] {
  return extensions.items.flatMap((one) => one.at('typed_config', 'mutations').items);
}

function removes(mutation: Setting, name: string): boolean {
  if (mutation.at('remove').text.toLowerCase() === name) return true;
  const matcher = mutation.at('remove_on_match', 'key_matcher');
  const fold = (text: string) => (matcher.at('ignore_case').isOn ? text.toLowerCase() : text);
  const [prefix, exact] = [fold(matcher.at('prefix').text), fold(matcher.at('exact').text)];
  return (prefix !== '' && name.startsWith(prefix)) || exact === name;
}
