/** Everything that one fake keeps between requests. */
import { JsonStore } from './agents/json-store.ts';
import type { Session } from './agents/session.ts';
import { BatchStore } from './batches/batch-store.ts';
import { FileStore } from './files/file-store.ts';
import { MessageThreads } from './message-threads.ts';
import { SkillStore } from './skills/skill-store.ts';
import { BoundedMap } from './storage/bounded-map.ts';
import { idSeries, SteppingClock } from './storage/foretold.ts';

export type Resources = ReturnType<typeof createResources>;

const SESSIONS_MAX = 200;

/** `publicUrl` is where callers reach the fake, for the links in its answers. */
export function createResources(publicUrl: () => string) {
  const clock = new SteppingClock();
  return {
    clock,
    files: new FileStore(clock),
    skills: new SkillStore(clock),
    batches: new BatchStore(clock, publicUrl),
    threads: new MessageThreads(),
    agents: new JsonStore('agent'),
    agentVersions: new JsonStore('agent'),
    environments: new JsonStore('environment', 'environment_not_found'),
    sessions: new BoundedMap<Session>({ countMax: SESSIONS_MAX }),
    sessionSeries: {
      nextEventId: idSeries('sevt_011'),
      nextThreadId: idSeries('sthr_011'),
      nextResourceId: idSeries('sesrsc_011'),
    },
    nextAgentId: idSeries('agent_011'),
    nextEnvironmentId: idSeries('env_011'),
    nextSessionId: idSeries('sesn_011'),
  };
}
