/** The endpoints of the Claude API that are known, as data. */

export type EndpointKind =
  | 'messages'
  | 'count_tokens'
  | 'batches'
  | 'files'
  | 'skills'
  | 'models'
  | 'sessions'
  | 'other'
  | 'unknown';

/** One row for each path: `*` stands for one identifier. The operations say which methods exist and how they are named. */
type EndpointRow = readonly [path: string, kind: EndpointKind, operations: { readonly [method: string]: string }];

/**
 * Read from the paths of the official SDK (1.12, and `complete` from 0.x). The organisation's admin API is left out on
 * purpose: it is not traffic of prompts, so a gateway sees it as unknown.
 */
export const endpointRows: readonly EndpointRow[] = [
  ['/v1/messages', 'messages', { POST: 'messages.create' }],
  ['/v1/messages/count_tokens', 'count_tokens', { POST: 'messages.count_tokens' }],
  ['/v1/messages/batches', 'batches', { POST: 'batches.create', GET: 'batches.list' }],
  ['/v1/messages/batches/*', 'batches', { GET: 'batches.get', DELETE: 'batches.delete' }],
  ['/v1/messages/batches/*/cancel', 'batches', { POST: 'batches.cancel' }],
  ['/v1/messages/batches/*/results', 'batches', { GET: 'batches.results' }],
  ['/v1/messages/cache_touch', 'other', { POST: 'messages.cache_touch' }],
  ['/v1/models', 'models', { GET: 'models.list' }],
  ['/v1/models/*', 'models', { GET: 'models.get' }],
  ['/v1/files', 'files', { POST: 'files.upload', GET: 'files.list' }],
  ['/v1/files/*', 'files', { GET: 'files.get', DELETE: 'files.delete' }],
  ['/v1/files/*/content', 'files', { GET: 'files.download' }],
  ['/v1/skills', 'skills', { POST: 'skills.create', GET: 'skills.list' }],
  ['/v1/skills/*', 'skills', { GET: 'skills.get', DELETE: 'skills.delete' }],
  ['/v1/skills/*/versions', 'skills', { POST: 'skills.versions.create', GET: 'skills.versions.list' }],
  ['/v1/skills/*/versions/*', 'skills', { GET: 'skills.versions.get', DELETE: 'skills.versions.delete' }],
  ['/v1/skills/*/versions/*/content', 'skills', { GET: 'skills.versions.download' }],
  ['/v1/sessions', 'sessions', { POST: 'sessions.create', GET: 'sessions.list' }],
  ['/v1/sessions/*', 'sessions', { GET: 'sessions.get', POST: 'sessions.update', DELETE: 'sessions.delete' }],
  ['/v1/sessions/*/archive', 'sessions', { POST: 'sessions.archive' }],
  ['/v1/sessions/*/events', 'sessions', { POST: 'sessions.events.send', GET: 'sessions.events.list' }],
  ['/v1/sessions/*/events/stream', 'sessions', { GET: 'sessions.events.stream' }],
  ['/v1/sessions/*/resources', 'sessions', { POST: 'sessions.resources.add', GET: 'sessions.resources.list' }],
  [
    '/v1/sessions/*/resources/*',
    'sessions',
    {
      GET: 'sessions.resources.get',
      POST: 'sessions.resources.update',
      DELETE: 'sessions.resources.delete',
    },
  ],
  ['/v1/sessions/*/threads', 'sessions', { GET: 'sessions.threads.list' }],
  ['/v1/sessions/*/threads/*', 'sessions', { GET: 'sessions.threads.get' }],
  ['/v1/sessions/*/threads/*/archive', 'sessions', { POST: 'sessions.threads.archive' }],
  ['/v1/sessions/*/threads/*/events', 'sessions', { GET: 'sessions.threads.events.list' }],
  ['/v1/sessions/*/threads/*/stream', 'sessions', { GET: 'sessions.threads.stream' }],
  ['/v1/complete', 'other', { POST: 'complete.create' }],
  ['/v1/oauth/token', 'other', { POST: 'oauth.token' }],
  ['/v1/agents', 'other', { POST: 'agents.create', GET: 'agents.list' }],
  ['/v1/agents/*', 'other', { GET: 'agents.get', POST: 'agents.update' }],
  ['/v1/agents/*/archive', 'other', { POST: 'agents.archive' }],
  ['/v1/agents/*/versions', 'other', { GET: 'agents.versions.list' }],
  ['/v1/deployments', 'other', { POST: 'deployments.create', GET: 'deployments.list' }],
  ['/v1/deployments/*', 'other', { GET: 'deployments.get', POST: 'deployments.update' }],
  ['/v1/deployments/*/archive', 'other', { POST: 'deployments.archive' }],
  ['/v1/deployments/*/pause', 'other', { POST: 'deployments.pause' }],
  ['/v1/deployments/*/unpause', 'other', { POST: 'deployments.unpause' }],
  ['/v1/deployments/*/run', 'other', { POST: 'deployments.run' }],
  ['/v1/deployment_runs', 'other', { GET: 'deployment_runs.list' }],
  ['/v1/deployment_runs/*', 'other', { GET: 'deployment_runs.get' }],
  ['/v1/environments', 'other', { POST: 'environments.create', GET: 'environments.list' }],
  [
    '/v1/environments/*',
    'other',
    {
      GET: 'environments.get',
      POST: 'environments.update',
      DELETE: 'environments.delete',
    },
  ],
  ['/v1/environments/*/archive', 'other', { POST: 'environments.archive' }],
  ['/v1/environments/*/work', 'other', { GET: 'environments.work.list' }],
  ['/v1/environments/*/work/poll', 'other', { GET: 'environments.work.poll' }],
  ['/v1/environments/*/work/stats', 'other', { GET: 'environments.work.stats' }],
  ['/v1/environments/*/work/*', 'other', { GET: 'environments.work.get', POST: 'environments.work.update' }],
  ['/v1/environments/*/work/*/ack', 'other', { POST: 'environments.work.ack' }],
  ['/v1/environments/*/work/*/heartbeat', 'other', { POST: 'environments.work.heartbeat' }],
  ['/v1/environments/*/work/*/stop', 'other', { POST: 'environments.work.stop' }],
  ['/v1/vaults', 'other', { POST: 'vaults.create', GET: 'vaults.list' }],
  ['/v1/vaults/*', 'other', { GET: 'vaults.get', POST: 'vaults.update', DELETE: 'vaults.delete' }],
  ['/v1/vaults/*/archive', 'other', { POST: 'vaults.archive' }],
  ['/v1/vaults/*/credentials', 'other', { POST: 'vaults.credentials.create', GET: 'vaults.credentials.list' }],
  [
    '/v1/vaults/*/credentials/*',
    'other',
    {
      GET: 'vaults.credentials.get',
      POST: 'vaults.credentials.update',
      DELETE: 'vaults.credentials.delete',
    },
  ],
  ['/v1/vaults/*/credentials/*/archive', 'other', { POST: 'vaults.credentials.archive' }],
  ['/v1/vaults/*/credentials/*/mcp_oauth_validate', 'other', { POST: 'vaults.credentials.validate' }],
  ['/v1/memory_stores', 'other', { POST: 'memory_stores.create', GET: 'memory_stores.list' }],
  [
    '/v1/memory_stores/*',
    'other',
    {
      GET: 'memory_stores.get',
      POST: 'memory_stores.update',
      DELETE: 'memory_stores.delete',
    },
  ],
  ['/v1/memory_stores/*/archive', 'other', { POST: 'memory_stores.archive' }],
  ['/v1/memory_stores/*/memories', 'other', { POST: 'memories.create', GET: 'memories.list' }],
  [
    '/v1/memory_stores/*/memories/*',
    'other',
    { GET: 'memories.get', POST: 'memories.update', DELETE: 'memories.delete' },
  ],
  ['/v1/memory_stores/*/memory_versions', 'other', { GET: 'memory_versions.list' }],
  ['/v1/memory_stores/*/memory_versions/*', 'other', { GET: 'memory_versions.get' }],
  ['/v1/memory_stores/*/memory_versions/*/redact', 'other', { POST: 'memory_versions.redact' }],
  ['/v1/dreams', 'other', { POST: 'dreams.create', GET: 'dreams.list' }],
  ['/v1/dreams/*', 'other', { GET: 'dreams.get' }],
  ['/v1/dreams/*/archive', 'other', { POST: 'dreams.archive' }],
  ['/v1/dreams/*/cancel', 'other', { POST: 'dreams.cancel' }],
  ['/v1/tunnels', 'other', { POST: 'tunnels.create', GET: 'tunnels.list' }],
  ['/v1/tunnels/*', 'other', { GET: 'tunnels.get' }],
  ['/v1/tunnels/*/archive', 'other', { POST: 'tunnels.archive' }],
  ['/v1/tunnels/*/reveal_token', 'other', { POST: 'tunnels.reveal_token' }],
  ['/v1/tunnels/*/rotate_token', 'other', { POST: 'tunnels.rotate_token' }],
  ['/v1/tunnels/*/certificates', 'other', { POST: 'tunnels.certificates.create', GET: 'tunnels.certificates.list' }],
  ['/v1/tunnels/*/certificates/*', 'other', { GET: 'tunnels.certificates.get' }],
  ['/v1/tunnels/*/certificates/*/archive', 'other', { POST: 'tunnels.certificates.archive' }],
  ['/v1/user_profiles', 'other', { POST: 'user_profiles.create', GET: 'user_profiles.list' }],
  [
    '/v1/user_profiles/*',
    'other',
    {
      GET: 'user_profiles.get',
      POST: 'user_profiles.update',
      DELETE: 'user_profiles.delete',
    },
  ],
  ['/v1/user_profiles/*/action_urls', 'other', { POST: 'user_profiles.action_urls' }],
  ['/v1/user_profiles/*/enrollment_url', 'other', { POST: 'user_profiles.enrollment_url' }],
];
