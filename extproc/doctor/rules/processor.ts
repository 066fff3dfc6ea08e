import { overridesOf } from '../model.ts';
import { answerNamespace, clusterNameOf, onProcessor, recordedOf, recordedRoutes, written } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';

/** A chunk of an answer waits for the disk: less cuts answers of a busy one, more hides a frozen processor. */
const messageTimeoutMinMs = 5_000;
const messageTimeoutMaxMs = 120_000;
const retriesMax = 5;
const pseudoHeaders = [':path', ':method', ':scheme', ':authority'];

/** Traps of the filter `ext_proc` itself. */
export const processorRules: readonly Rule[] = [
  {
    id: 'ext-proc-fails-open',
    severity: 'critical',
    invariants: [2],
    title: 'Requests pass when the processor fails',
    why: 'With failure_mode_allow a processor that is down, or an error of its stream, lets the request through unrecorded.',
    find: (gateway) =>
      [
        ...recordedOf(gateway).map(({ processor }) => processor.config.at('failure_mode_allow')),
        ...recordedRoutes(gateway).flatMap(({ route, processor }) =>
          overridesOf(route, processor.name).map(({ config }) => config.at('overrides', 'failure_mode_allow')),
        ),
      ]
        .filter(({ isOn }) => isOn)
        .map((at) => ({ at, found: 'failure_mode_allow is on', change: 'failure_mode_allow: false' })),
  },
  onProcessor({
    id: 'ext-proc-observes-only',
    severity: 'critical',
    invariants: [1, 2],
    title: 'The processor only looks on',
    why: 'In observability mode Envoy waits for no reply: nothing is held back, nothing can be denied, and bytes are lost when the recorder stalls (75 % in a measured stall of 9 s).',
    at: (config) => config.at('observability_mode'),
    isFault: ({ isOn }) => isOn,
    found: () => 'observability_mode is on',
    change: 'observability_mode: false',
  }),
  onProcessor({
    id: 'mode-override-allowed',
    severity: 'critical',
    invariants: [1],
    title: 'A reply may change the processing mode',
    why: 'allow_mode_override lets a reply turn the recording of bodies off in the middle of an exchange. skilltape never asks for it.',
    at: (config) => config.at('allow_mode_override'),
    isFault: ({ isOn }) => isOn,
    found: () => 'allow_mode_override is on',
    change: 'allow_mode_override: false',
  }),
  onProcessor({
    id: 'refusals-not-sent',
    severity: 'critical',
    invariants: [2],
    title: 'The refusals of skilltape are not taken',
    why: 'A refusal is an immediate response. With disable_immediate_response Envoy takes it for a mistake of the processor.',
    at: (config) => config.at('disable_immediate_response'),
    isFault: ({ isOn }) => isOn,
    found: () => 'disable_immediate_response is on',
    change: 'disable_immediate_response: false',
  }),
  onProcessor({
    id: 'route-chosen-again',
    severity: 'critical',
    invariants: [5],
    title: 'The route is chosen again behind the verdict',
    why: 'route_cache_action CLEAR has Envoy choose a route anew after the processor changed headers: judged for one connection, the request may go out by another.',
    at: (config) => config.at('route_cache_action'),
    isFault: (setting) => setting.choice(['DEFAULT', 'CLEAR', 'RETAIN']) === 'CLEAR',
    found: () => 'route_cache_action is CLEAR',
    change: 'route_cache_action: DEFAULT',
  }),
  onProcessor({
    id: 'headers-kept-from-processor',
    severity: 'critical',
    invariants: [5],
    title: 'Headers are kept from the processor',
    why: 'What forward_rules leave out is neither recorded nor judged: content-encoding, betas and session ids among them.',
    at: (config) => config.at('forward_rules'),
    isFault: ({ isWritten }) => isWritten,
    found: () => 'forward_rules filter what skilltape sees',
    change: 'remove forward_rules',
  }),
  {
    id: 'path-may-be-rewritten',
    severity: 'warning',
    invariants: [3],
    title: 'The processor may rewrite path, method and host',
    why: 'Without mutation_rules a reply may set :path, and the request goes there although its route was chosen for another. A fault in the processor must not be able to.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ processor }): Fault[] => {
        const rules = processor.config.at('mutation_rules');
        const isClosed = rules.at('disallow_all').isOn || rules.at('disallow_system').isOn;
        const expression = rules.at('disallow_expression', 'regex');
        const open = isClosed ? [] : pseudoHeaders.filter((name) => !matches(expression.text, name));
        if (open.length === 0) return [];
        const change = 'mutation_rules: { disallow_expression: { regex: "^:(path|method|scheme|authority)$" } }';
        return [{ at: rules, found: `mutation_rules leave ${open.join(', ')} open`, change }];
      }),
  },
  onProcessor({
    id: 'message-timeout-short',
    severity: 'warning',
    invariants: [],
    title: 'Answers are cut when the disk is slow',
    why: 'Each chunk of an answer must be answered within message_timeout, which is 200 ms unless set; a stall beyond it cuts the answer in the middle.',
    at: (config) => config.at('message_timeout'),
    isFault: (setting) => (setting.durationMs ?? 200) < messageTimeoutMinMs,
    found: (setting) => `message_timeout is ${written(setting)}`,
    change: 'message_timeout: 30s',
  }),
  onProcessor({
    id: 'message-timeout-long',
    severity: 'warning',
    invariants: [2, 10],
    title: 'A frozen processor holds answers for minutes',
    why: 'message_timeout is what ends an answer whose processor froze; the request side has no timer of its own.',
    at: (config) => config.at('message_timeout'),
    isFault: (setting) => (setting.durationMs ?? 0) > messageTimeoutMaxMs,
    found: (setting) => `message_timeout is ${written(setting)}`,
    change: 'message_timeout: 30s',
  }),
  onProcessor({
    id: 'content-length-dropped',
    severity: 'warning',
    invariants: [3],
    title: 'The length of requests is dropped',
    why: 'In FULL_DUPLEX_STREAMED mode Envoy removes content-length from each request unless it is allowed to stay.',
    at: (config) => config.at('allow_content_length_header'),
    isFault: ({ isOn }) => !isOn,
    found: (setting) => `allow_content_length_header is ${written(setting)}`,
    change: 'allow_content_length_header: true',
  }),
  onProcessor({
    id: 'verdict-not-taken',
    severity: 'critical',
    invariants: [1],
    title: 'The verdict of skilltape is dropped',
    why: 'Without the receiving namespace Envoy drops exchange id and verdict: the lock behind ext_proc cannot know what was released, and the access log cannot be compared.',
    at: (config) => config.at('metadata_options', 'receiving_namespaces'),
    isFault: (setting) => !setting.at('untyped').texts.includes(answerNamespace),
    found: (setting) => `receiving_namespaces are ${written(setting)}`,
    change: 'metadata_options: { receiving_namespaces: { untyped: [skilltape] } }',
  }),
  onProcessor({
    id: 'identity-not-forwarded',
    severity: 'critical',
    invariants: [5],
    title: 'The verified identity does not reach skilltape',
    why: 'Identity comes from the metadata of jwt_authn alone; without its namespace every request is without one and is refused.',
    at: (config) => config.at('metadata_options', 'forwarding_namespaces'),
    isFault: (setting) => !setting.at('untyped').texts.includes('envoy.filters.http.jwt_authn'),
    found: (setting) => `forwarding_namespaces are ${written(setting)}`,
    change:
      'metadata_options: { forwarding_namespaces: { untyped: [envoy.filters.http.jwt_authn, envoy.filters.http.rbac] } }',
  }),
  {
    id: 'processor-retried-on-reset',
    severity: 'warning',
    invariants: [10],
    title: 'Envoy tries a frozen processor again',
    why: 'With one place to try, a retry on reset only meets the same frozen processor; a request that ends the worker that reads it ends the next ones too. With several workers it may stand.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ processor }): Fault[] => {
        const policy = processor.config.at('grpc_service', 'retry_policy');
        const retryOn = policy.at('retry_on');
        const words = retryOn.text.split(',').map((word) => word.trim());
        const cluster = gateway.clusters.get(clusterNameOf(processor.config).text);
        const places = cluster
          ?.at('load_assignment', 'endpoints')
          .items.flatMap((group) => group.at('lb_endpoints').items);
        const change = 'retry_on: connect-failure,refused-stream,unavailable, num_retries: 2';
        if (places?.length === 1 && words.some((word) => /^(reset|5xx|internal|cancelled|gateway-error)$/.test(word))) {
          return [{ at: retryOn, found: `retry_on is ${written(retryOn)} with one endpoint`, change }];
        }
        const retries = policy.at('num_retries');
        if ((retries.number ?? 1) <= retriesMax) return [];
        return [{ at: retries, found: `num_retries is ${written(retries)}`, change }];
      }),
  },
  {
    id: 'processor-not-retried',
    severity: 'warning',
    invariants: [],
    title: 'A dead worker fails every second request',
    why: 'Until the health check takes a dead worker out (0.8 s measured), requests that meet it fail, unless they are tried at another one.',
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ processor }): Fault[] => {
        const cluster = gateway.clusters.get(clusterNameOf(processor.config).text);
        const groups = cluster?.at('load_assignment', 'endpoints').items ?? [];
        const at = processor.config.at('grpc_service', 'retry_policy');
        if (at.isWritten || groups.flatMap((group) => group.at('lb_endpoints').items).length < 2) return [];
        const change = 'grpc_service.retry_policy with retry_on: connect-failure,refused-stream,unavailable';
        return [{ at, found: 'there are several endpoints and no retry_policy', change }];
      }),
  },
  onProcessor({
    id: 'processor-not-in-a-cluster',
    severity: 'critical',
    invariants: [2],
    title: 'The processor is not reached through a cluster',
    why: 'Health check, keepalive and limits that a frozen processor is found by are settings of a cluster; google_grpc has none of them.',
    at: (config) => config.at('grpc_service'),
    isFault: (setting) => !setting.at('envoy_grpc').isWritten,
    found: () => 'grpc_service has no envoy_grpc',
    change: 'grpc_service: { envoy_grpc: { cluster_name: skilltape } }',
  }),
  {
    id: 'two-credentials-unseen',
    severity: 'critical',
    invariants: [5],
    title: 'Two credentials in one request are not noticed',
    why: "jwt_authn takes one of two tokens and says nothing of the other: one person's request passes as another's. An rbac filter marks such requests with the shadow policies two_credentials and two_credentials_in_one_header, and its metadata must reach skilltape.",
    find: (gateway) =>
      recordedOf(gateway).flatMap(({ manager, processor, position }): Fault[] => {
        const marking = manager.filters.findIndex(({ type, config, isOff }) => {
          const policies = config.at('shadow_rules', 'policies');
          return type === 'RBAC' && !isOff && markingPolicies.every((name) => policies.at(name).isWritten);
        });
        const jwt = manager.filters.findIndex(({ type }) => type === 'JwtAuthentication');
        const namespaces = processor.config.at('metadata_options', 'forwarding_namespaces', 'untyped');
        if (marking < 0 || marking > position || (jwt >= 0 && marking > jwt)) {
          const change = `the rbac filter with shadow_rules ${markingPolicies.join(' and ')} of envoy/envoy.yaml, before jwt_authn`;
          return [
            { at: manager.config.at('http_filters'), found: 'no rbac filter before jwt_authn marks them', change },
          ];
        }
        if (namespaces.texts.includes('envoy.filters.http.rbac')) return [];
        const change = 'forwarding_namespaces: { untyped: [envoy.filters.http.jwt_authn, envoy.filters.http.rbac] }';
        return [{ at: namespaces, found: 'the mark of rbac is not forwarded', change }];
      }),
  },
];

const markingPolicies = ['two_credentials', 'two_credentials_in_one_header'];

function matches(expression: string, name: string): boolean {
  if (expression === '') return false;
  try {
    return new RegExp(`^(?:${expression})$`).test(name);
  } catch {
    // RE2 has forms that this engine does not; what cannot be read is not vouched for.
    return false;
  }
}
