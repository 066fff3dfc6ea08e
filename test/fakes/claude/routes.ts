/** The part of the Claude API that the fake speaks: which path is answered by what. */
import * as agents from './agents/agent-routes.ts';
import * as environments from './agents/environment-routes.ts';
import * as resources from './agents/session-resource-routes.ts';
import * as sessions from './agents/session-routes.ts';
import * as batches from './batches/batch-routes.ts';
import type { Handler } from './call.ts';
import { createCompletion } from './completion-route.ts';
import * as files from './files/file-routes.ts';
import { countMessageTokens } from './message-routes.ts';
import * as models from './models.ts';
import * as skills from './skills/skill-routes.ts';

/** Answered apart from the table, for its prompt may say how the answer is sent. */
export const MESSAGES = 'POST /v1/messages';

/** `{name}` stands for one part of the path. */
const ROUTES: Readonly<Record<string, Handler>> = {
  'POST /v1/messages/count_tokens': countMessageTokens,
  'POST /v1/complete': createCompletion,

  'POST /v1/messages/batches': batches.createBatch,
  'GET /v1/messages/batches': batches.listBatches,
  'GET /v1/messages/batches/{batch_id}': batches.getBatch,
  'DELETE /v1/messages/batches/{batch_id}': batches.deleteBatch,
  'POST /v1/messages/batches/{batch_id}/cancel': batches.cancelBatch,
  'GET /v1/messages/batches/{batch_id}/results': batches.batchResults,

  'GET /v1/models': models.listModels,
  'GET /v1/models/{model_id}': models.getModel,

  'POST /v1/files': files.uploadFile,
  'GET /v1/files': files.listFiles,
  'GET /v1/files/{file_id}': files.getFile,
  'DELETE /v1/files/{file_id}': files.deleteFile,
  'GET /v1/files/{file_id}/content': files.downloadFile,

  'POST /v1/skills': skills.createSkill,
  'GET /v1/skills': skills.listSkills,
  'GET /v1/skills/{skill_id}': skills.getSkill,
  'DELETE /v1/skills/{skill_id}': skills.deleteSkill,
  'POST /v1/skills/{skill_id}/versions': skills.createVersion,
  'GET /v1/skills/{skill_id}/versions': skills.listVersions,
  'GET /v1/skills/{skill_id}/versions/{version}': skills.getVersion,
  'DELETE /v1/skills/{skill_id}/versions/{version}': skills.deleteVersion,
  'GET /v1/skills/{skill_id}/versions/{version}/content': skills.downloadVersion,

  'POST /v1/agents': agents.createAgent,
  'GET /v1/agents': agents.listAgents,
  'GET /v1/agents/{agent_id}': agents.getAgent,
  'POST /v1/agents/{agent_id}': agents.updateAgent,
  'POST /v1/agents/{agent_id}/archive': agents.archiveAgent,
  'GET /v1/agents/{agent_id}/versions': agents.listAgentVersions,

  'POST /v1/environments': environments.createEnvironment,
  'GET /v1/environments': environments.listEnvironments,
  'GET /v1/environments/{environment_id}': environments.getEnvironment,
  'POST /v1/environments/{environment_id}': environments.updateEnvironment,
  'DELETE /v1/environments/{environment_id}': environments.deleteEnvironment,
  'POST /v1/environments/{environment_id}/archive': environments.archiveEnvironment,

  'POST /v1/sessions': sessions.createSession,
  'GET /v1/sessions': sessions.listSessions,
  'GET /v1/sessions/{session_id}': sessions.getSession,
  'POST /v1/sessions/{session_id}': sessions.updateSession,
  'DELETE /v1/sessions/{session_id}': sessions.deleteSession,
  'POST /v1/sessions/{session_id}/archive': sessions.archiveSession,
  'POST /v1/sessions/{session_id}/events': sessions.sendEvents,
  'GET /v1/sessions/{session_id}/events': sessions.listEvents,
  'GET /v1/sessions/{session_id}/events/stream': sessions.streamEvents,
  'POST /v1/sessions/{session_id}/resources': resources.addResource,
  'GET /v1/sessions/{session_id}/resources': resources.listResources,
  'GET /v1/sessions/{session_id}/resources/{resource_id}': resources.getResource,
  'POST /v1/sessions/{session_id}/resources/{resource_id}': resources.updateResource,
  'DELETE /v1/sessions/{session_id}/resources/{resource_id}': resources.deleteResource,
  'GET /v1/sessions/{session_id}/threads': sessions.listThreads,
  'GET /v1/sessions/{session_id}/threads/{thread_id}': sessions.getThread,
  'POST /v1/sessions/{session_id}/threads/{thread_id}/archive': sessions.archiveThread,
  'GET /v1/sessions/{session_id}/threads/{thread_id}/events': sessions.listThreadEvents,
  'GET /v1/sessions/{session_id}/threads/{thread_id}/stream': sessions.streamThreadEvents,
};

export type FoundRoute = {
  /** Its line in the table. */
  readonly name: string;
  readonly handle: Handler | undefined;
  readonly params: ReadonlyMap<string, string>;
};

type Parsed = { readonly name: string; readonly method: string; readonly parts: readonly string[] };

const PARSED: readonly Parsed[] = [MESSAGES, ...Object.keys(ROUTES)].map((name) => {
  const [method = '', pattern = ''] = name.split(' ');
  return { name, method, parts: pattern.split('/') };
});

export const ROUTE_NAMES: readonly string[] = PARSED.map(({ name }) => name);

/** `wrong_method` for a path that is there for others. The path is without its query. */
export function findRoute(method: string, path: string): FoundRoute | 'wrong_method' | 'unknown' {
  const parts = path.split('/').map(decodePart);
  const fitting = PARSED.filter((route) => fits(route.parts, parts));
  const route = fitting.find((candidate) => candidate.method === method);
  if (route === undefined) return fitting.length > 0 ? 'wrong_method' : 'unknown';
  const open = route.parts.flatMap((part, i) => {
    return part.startsWith('{') ? [[part.slice(1, -1), parts[i] ?? ''] as const] : [];
  });
  return { name: route.name, handle: ROUTES[route.name], params: new Map(open) };
}

function fits(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((part, i) => (part.startsWith('{') ? parts[i] !== '' : part === parts[i]))
  );
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
