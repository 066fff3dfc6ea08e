/** The endpoints of the Claude API that are known, as data. */

export const endpointKinds = [
  'messages',
  'count_tokens',
  'batches',
  'files',
  'skills',
  'models',
  'sessions',
  'agents',
  'deployments',
  'environments',
  'memories',
  'dreams',
  'user_profiles',
  'vaults',
  'tunnels',
  'oauth',
  'organizations',
  'claude_code',
  'other',
  'unknown',
] as const;
export type EndpointKind = (typeof endpointKinds)[number];

/**
 * How the traffic of an endpoint is dealt with.
 * - `prompt`: its bodies are prompts or answers.
 * - `content`: it carries files, skills or memories.
 * - `settings`: it sets up or lists what prompts run in.
 * - `housekeeping`: it looks up, counts, polls or reports that work is alive; no prompt is answered over it.
 * - `secrets`: its request or answer carries credentials.
 * - `unknown`: nothing is known of its bodies.
 */
export const treatments = ['prompt', 'content', 'settings', 'housekeeping', 'secrets', 'unknown'] as const;
export type Treatment = (typeof treatments)[number];

type Operations = { readonly [method: string]: string };

/**
 * `*` stands for one identifier. The operations say which methods exist and how they are named. A path whose methods
 * are treated differently has a row for each treatment.
 */
export type EndpointRow = readonly [path: string, kind: EndpointKind, treatment: Treatment, operations: Operations];

/** Read from the paths of the official SDK (1.12, and `complete` from 0.x). */
export const endpointRows: readonly EndpointRow[] = [
  ['/v1/messages', 'messages', 'prompt', { POST: 'messages.create' }],
  ['/v1/messages/count_tokens', 'count_tokens', 'housekeeping', { POST: 'messages.count_tokens' }],
  ['/v1/messages/batches', 'batches', 'prompt', { POST: 'batches.create' }],
  ['/v1/messages/batches', 'batches', 'housekeeping', { GET: 'batches.list' }],
  ['/v1/messages/batches/*', 'batches', 'housekeeping', { GET: 'batches.get' }],
  ['/v1/messages/batches/*', 'batches', 'settings', { DELETE: 'batches.delete' }],
  ['/v1/messages/batches/*/cancel', 'batches', 'settings', { POST: 'batches.cancel' }],
  ['/v1/messages/batches/*/results', 'batches', 'prompt', { GET: 'batches.results' }],
  ['/v1/messages/cache_touch', 'other', 'prompt', { POST: 'messages.cache_touch' }],
  ['/v1/complete', 'other', 'prompt', { POST: 'complete.create' }],
  ['/v1/models', 'models', 'housekeeping', { GET: 'models.list' }],
  ['/v1/models/*', 'models', 'housekeeping', { GET: 'models.get' }],
  ['/v1/files', 'files', 'content', { POST: 'files.upload' }],
  ['/v1/files', 'files', 'settings', { GET: 'files.list' }],
  ['/v1/files/*', 'files', 'settings', { GET: 'files.get', DELETE: 'files.delete' }],
  ['/v1/files/*/content', 'files', 'content', { GET: 'files.download' }],
  ['/v1/skills', 'skills', 'content', { POST: 'skills.create' }],
  ['/v1/skills', 'skills', 'settings', { GET: 'skills.list' }],
  ['/v1/skills/*', 'skills', 'settings', { GET: 'skills.get', DELETE: 'skills.delete' }],
  ['/v1/skills/*/versions', 'skills', 'content', { POST: 'skills.versions.create' }],
  ['/v1/skills/*/versions', 'skills', 'settings', { GET: 'skills.versions.list' }],
  ['/v1/skills/*/versions/*', 'skills', 'settings', { GET: 'skills.versions.get', DELETE: 'skills.versions.delete' }],
  ['/v1/skills/*/versions/*/content', 'skills', 'content', { GET: 'skills.versions.download' }],
  ['/v1/sessions', 'sessions', 'settings', { POST: 'sessions.create', GET: 'sessions.list' }],
  [
    '/v1/sessions/*',
    'sessions',
    'settings',
    { GET: 'sessions.get', POST: 'sessions.update', DELETE: 'sessions.delete' },
  ],
  ['/v1/sessions/*/archive', 'sessions', 'settings', { POST: 'sessions.archive' }],
  ['/v1/sessions/*/events', 'sessions', 'prompt', { POST: 'sessions.events.send', GET: 'sessions.events.list' }],
  ['/v1/sessions/*/events/stream', 'sessions', 'prompt', { GET: 'sessions.events.stream' }],
  [
    '/v1/sessions/*/resources',
    'sessions',
    'settings',
    { POST: 'sessions.resources.add', GET: 'sessions.resources.list' },
  ],
  [
    '/v1/sessions/*/resources/*',
    'sessions',
    'settings',
    { GET: 'sessions.resources.get', DELETE: 'sessions.resources.delete' },
  ],
  // Its one purpose is a new `authorization_token`.
  ['/v1/sessions/*/resources/*', 'sessions', 'secrets', { POST: 'sessions.resources.update' }],
  ['/v1/sessions/*/threads', 'sessions', 'settings', { GET: 'sessions.threads.list' }],
  ['/v1/sessions/*/threads/*', 'sessions', 'settings', { GET: 'sessions.threads.get' }],
  ['/v1/sessions/*/threads/*/archive', 'sessions', 'settings', { POST: 'sessions.threads.archive' }],
  ['/v1/sessions/*/threads/*/events', 'sessions', 'prompt', { GET: 'sessions.threads.events.list' }],
  ['/v1/sessions/*/threads/*/stream', 'sessions', 'prompt', { GET: 'sessions.threads.stream' }],
  ['/v1/agents', 'agents', 'settings', { POST: 'agents.create', GET: 'agents.list' }],
  ['/v1/agents/*', 'agents', 'settings', { GET: 'agents.get', POST: 'agents.update' }],
  ['/v1/agents/*/archive', 'agents', 'settings', { POST: 'agents.archive' }],
  ['/v1/agents/*/versions', 'agents', 'settings', { GET: 'agents.versions.list' }],
  ['/v1/deployments', 'deployments', 'settings', { POST: 'deployments.create', GET: 'deployments.list' }],
  ['/v1/deployments/*', 'deployments', 'settings', { GET: 'deployments.get', POST: 'deployments.update' }],
  ['/v1/deployments/*/archive', 'deployments', 'settings', { POST: 'deployments.archive' }],
  ['/v1/deployments/*/pause', 'deployments', 'settings', { POST: 'deployments.pause' }],
  ['/v1/deployments/*/unpause', 'deployments', 'settings', { POST: 'deployments.unpause' }],
  ['/v1/deployments/*/run', 'deployments', 'settings', { POST: 'deployments.run' }],
  ['/v1/deployment_runs', 'deployments', 'settings', { GET: 'deployment_runs.list' }],
  ['/v1/deployment_runs/*', 'deployments', 'settings', { GET: 'deployment_runs.get' }],
  ['/v1/environments', 'environments', 'settings', { POST: 'environments.create', GET: 'environments.list' }],
  [
    '/v1/environments/*',
    'environments',
    'settings',
    { GET: 'environments.get', POST: 'environments.update', DELETE: 'environments.delete' },
  ],
  ['/v1/environments/*/archive', 'environments', 'settings', { POST: 'environments.archive' }],
  ['/v1/environments/*/work', 'environments', 'housekeeping', { GET: 'environments.work.list' }],
  // The answer to a poll, and no other, has the `secret` of a work item.
  ['/v1/environments/*/work/poll', 'environments', 'secrets', { GET: 'environments.work.poll' }],
  ['/v1/environments/*/work/stats', 'environments', 'housekeeping', { GET: 'environments.work.stats' }],
  ['/v1/environments/*/work/*', 'environments', 'housekeeping', { GET: 'environments.work.get' }],
  ['/v1/environments/*/work/*', 'environments', 'settings', { POST: 'environments.work.update' }],
  ['/v1/environments/*/work/*/ack', 'environments', 'housekeeping', { POST: 'environments.work.ack' }],
  ['/v1/environments/*/work/*/heartbeat', 'environments', 'housekeeping', { POST: 'environments.work.heartbeat' }],
  ['/v1/environments/*/work/*/stop', 'environments', 'settings', { POST: 'environments.work.stop' }],
  ['/v1/memory_stores', 'memories', 'settings', { POST: 'memory_stores.create', GET: 'memory_stores.list' }],
  [
    '/v1/memory_stores/*',
    'memories',
    'settings',
    { GET: 'memory_stores.get', POST: 'memory_stores.update', DELETE: 'memory_stores.delete' },
  ],
  ['/v1/memory_stores/*/archive', 'memories', 'settings', { POST: 'memory_stores.archive' }],
  ['/v1/memory_stores/*/memories', 'memories', 'content', { POST: 'memories.create', GET: 'memories.list' }],
  ['/v1/memory_stores/*/memories/*', 'memories', 'content', { GET: 'memories.get', POST: 'memories.update' }],
  ['/v1/memory_stores/*/memories/*', 'memories', 'settings', { DELETE: 'memories.delete' }],
  ['/v1/memory_stores/*/memory_versions', 'memories', 'content', { GET: 'memory_versions.list' }],
  ['/v1/memory_stores/*/memory_versions/*', 'memories', 'content', { GET: 'memory_versions.get' }],
  ['/v1/memory_stores/*/memory_versions/*/redact', 'memories', 'settings', { POST: 'memory_versions.redact' }],
  ['/v1/dreams', 'dreams', 'settings', { POST: 'dreams.create', GET: 'dreams.list' }],
  ['/v1/dreams/*', 'dreams', 'settings', { GET: 'dreams.get' }],
  ['/v1/dreams/*/archive', 'dreams', 'settings', { POST: 'dreams.archive' }],
  ['/v1/dreams/*/cancel', 'dreams', 'settings', { POST: 'dreams.cancel' }],
  ['/v1/user_profiles', 'user_profiles', 'settings', { POST: 'user_profiles.create', GET: 'user_profiles.list' }],
  [
    '/v1/user_profiles/*',
    'user_profiles',
    'settings',
    { GET: 'user_profiles.get', POST: 'user_profiles.update', DELETE: 'user_profiles.delete' },
  ],
  // Their answers are links that let whoever has them act for somebody.
  ['/v1/user_profiles/*/action_urls', 'user_profiles', 'secrets', { POST: 'user_profiles.action_urls' }],
  ['/v1/user_profiles/*/enrollment_url', 'user_profiles', 'secrets', { POST: 'user_profiles.enrollment_url' }],
  ['/v1/vaults', 'vaults', 'secrets', { POST: 'vaults.create', GET: 'vaults.list' }],
  ['/v1/vaults/*', 'vaults', 'secrets', { GET: 'vaults.get', POST: 'vaults.update', DELETE: 'vaults.delete' }],
  ['/v1/vaults/*/archive', 'vaults', 'secrets', { POST: 'vaults.archive' }],
  [
    '/v1/vaults/*/credentials',
    'vaults',
    'secrets',
    { POST: 'vaults.credentials.create', GET: 'vaults.credentials.list' },
  ],
  [
    '/v1/vaults/*/credentials/*',
    'vaults',
    'secrets',
    { GET: 'vaults.credentials.get', POST: 'vaults.credentials.update', DELETE: 'vaults.credentials.delete' },
  ],
  ['/v1/vaults/*/credentials/*/archive', 'vaults', 'secrets', { POST: 'vaults.credentials.archive' }],
  ['/v1/vaults/*/credentials/*/mcp_oauth_validate', 'vaults', 'secrets', { POST: 'vaults.credentials.validate' }],
  ['/v1/tunnels', 'tunnels', 'secrets', { POST: 'tunnels.create', GET: 'tunnels.list' }],
  ['/v1/tunnels/*', 'tunnels', 'secrets', { GET: 'tunnels.get' }],
  ['/v1/tunnels/*/archive', 'tunnels', 'secrets', { POST: 'tunnels.archive' }],
  ['/v1/tunnels/*/reveal_token', 'tunnels', 'secrets', { POST: 'tunnels.reveal_token' }],
  ['/v1/tunnels/*/rotate_token', 'tunnels', 'secrets', { POST: 'tunnels.rotate_token' }],
  [
    '/v1/tunnels/*/certificates',
    'tunnels',
    'secrets',
    { POST: 'tunnels.certificates.create', GET: 'tunnels.certificates.list' },
  ],
  ['/v1/tunnels/*/certificates/*', 'tunnels', 'secrets', { GET: 'tunnels.certificates.get' }],
  ['/v1/tunnels/*/certificates/*/archive', 'tunnels', 'secrets', { POST: 'tunnels.certificates.archive' }],
  ['/v1/oauth/token', 'oauth', 'secrets', { POST: 'oauth.token' }],
];

export type FamilyRow = readonly [prefix: string, kind: EndpointKind, treatment: Treatment, name: string];

/**
 * Families that are not listed path by path: every path at or below the prefix. A GET is named `<name>.read`, any other
 * method `<name>.write`. The organisation's admin API hands out keys; the paths under `/api` are services of Claude
 * Code's own, some of which are sent its credential.
 */
export const familyRows: readonly FamilyRow[] = [
  ['/v1/organizations', 'organizations', 'secrets', 'organizations'],
  ['/v1/code', 'claude_code', 'unknown', 'claude_code.remote'],
  ['/api/claude_cli', 'claude_code', 'unknown', 'claude_code.cli'],
  ['/api/claude_code', 'claude_code', 'unknown', 'claude_code.settings'],
  ['/api/claude_code_penguin_mode', 'claude_code', 'unknown', 'claude_code.mode'],
  ['/api/directory', 'claude_code', 'unknown', 'claude_code.directory'],
  ['/api/eval', 'claude_code', 'secrets', 'claude_code.eval'],
  ['/api/event_logging', 'claude_code', 'unknown', 'claude_code.event_logging'],
  ['/api/oauth', 'oauth', 'secrets', 'oauth.claude_code'],
];
