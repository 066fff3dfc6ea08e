/** One session of a managed agent: its events, its threads, and what a posted event sets off. */
import { ApiError } from '../api-error.ts';
import { type Directives, readDirectives } from '../directives.ts';
import type { Json } from '../message.ts';
import { InvalidRequest, property, readText } from '../messages-request.ts';
import type { IdSeries, SteppingClock } from '../storage/foretold.ts';
import { resumeAgent, runTurn, type TurnContext } from './agent-turn.ts';
import { EventLog, type SessionEvent } from './event-log.ts';
import { SessionResources } from './session-resources.ts';

export type SessionParts = {
  readonly id: string;
  readonly agent: Json;
  /** What the caller set: title, metadata and the like. */
  readonly settings: Json;
  readonly createdAt: string;
};

export type SessionSeries = {
  readonly nextEventId: IdSeries;
  readonly nextThreadId: IdSeries;
  readonly nextResourceId: IdSeries;
};

const CALLER_TYPES = [
  ...['user.message', 'user.interrupt', 'user.tool_confirmation', 'user.custom_tool_result', 'user.tool_result'],
  ...['user.define_outcome', 'system.message'],
];
const EVENTS_AT_ONCE_MAX = 100;
const THREADS_MAX = 50;
const STATUS_PREFIX = 'session.status_';

export class Session {
  readonly id: string;
  readonly log: EventLog;
  readonly mainThreadId: string;
  readonly resources: SessionResources;
  readonly #parts: SessionParts;
  readonly #series: SessionSeries;
  readonly #clock: SteppingClock;
  readonly #threads: Json[] = [];
  readonly #awaited = new Set<string>();
  #settings: Json;
  #archivedAt: string | null = null;
  #status = 'idle';

  constructor(parts: SessionParts, series: SessionSeries, clock: SteppingClock) {
    this.id = parts.id;
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#series = series;
    this.#clock = clock;
    this.log = new EventLog(series.nextEventId, clock);
    this.resources = new SessionResources(series.nextResourceId, clock);
    this.mainThreadId = this.#openThread(null);
  }

  /** Keeps the events and lets the agent answer. Throws before anything is kept. */
  post(events: unknown): SessionEvent[] {
    if (!Array.isArray(events) || events.length === 0 || events.length > EVENTS_AT_ONCE_MAX) {
      throw new InvalidRequest(`events: from 1 to ${EVENTS_AT_ONCE_MAX}`);
    }
    if (this.log.isOver) throw new ApiError(400, `session ${this.id} has ended`);
    const read = events.map(readEvent);
    return read.map(({ event, text, directives }) => {
      const kept = this.#emit(event);
      this.#react(event, text, directives);
      return kept;
    });
  }

  update(settings: Json): void {
    this.#settings = { ...this.#settings, ...settings };
    this.#emit({ type: 'session.updated', ...settings });
  }

  archive(): void {
    this.#archivedAt = this.#clock.now();
  }

  /** Ends the open streams. */
  end(): void {
    this.#emit({ type: 'session.deleted' });
  }

  threads(): readonly Json[] {
    return this.#threads.map((thread) => ({ ...thread, status: this.#status }));
  }

  /** The thread as it is then; it must be one of this session. */
  archiveThread(id: string): Json {
    const index = this.#threads.findIndex((thread) => thread.id === id);
    this.#threads[index] = { ...this.#threads[index], archived_at: this.#clock.now() };
    return { ...this.#threads[index], status: this.#status };
  }

  /** As GET /v1/sessions/{id} shows it. */
  json(): Json & { readonly id: string } {
    const { id, agent, createdAt } = this.#parts;
    return {
      id,
      type: 'session',
      status: this.#status,
      agent,
      ...this.#settings,
      resources: this.resources.list(),
      outcome_evaluations: [],
      stats: { active_seconds: 0, duration_seconds: 0 },
      usage: { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0 },
      deployment_id: null,
      created_at: createdAt,
      updated_at: createdAt,
      archived_at: this.#archivedAt,
    };
  }

  #react(event: Json & { readonly type: string }, text: string, directives: Directives): void {
    switch (event.type) {
      case 'user.message':
      case 'user.define_outcome':
        runTurn(directives.agentTurn ?? 'message', this.#turnContext(text));
        return;
      case 'user.interrupt':
        this.#awaited.clear();
        this.#emit({ type: `${STATUS_PREFIX}idle`, stop_reason: { type: 'end_turn' }, stop_details: null });
        return;
      default: {
        const answered = event.custom_tool_use_id ?? event.tool_use_id;
        if (typeof answered === 'string' && this.#awaited.delete(answered)) resumeAgent(this.#turnContext(text));
      }
    }
  }

  #emit(event: Json & { readonly type: string }, threadId = this.mainThreadId): SessionEvent {
    if (event.type.startsWith(STATUS_PREFIX)) this.#status = event.type.slice(STATUS_PREFIX.length);
    return this.log.append(threadId, event);
  }

  #turnContext(text: string): TurnContext {
    return {
      text,
      agentName: String(this.#parts.agent.name),
      mainThreadId: this.mainThreadId,
      emit: (event, threadId) => this.#emit(event, threadId).id,
      openThread: () => this.#openThread(this.mainThreadId),
      waitFor: (eventId) => this.#awaited.add(eventId),
    };
  }

  #openThread(parentId: string | null): string {
    const now = this.#clock.now();
    const id = this.#series.nextThreadId();
    const { multiagent: _, ...agent } = this.#parts.agent;
    this.#threads.push({
      id,
      type: 'session_thread',
      session_id: this.#parts.id,
      parent_thread_id: parentId,
      agent,
      stats: null,
      usage: null,
      workflow_run_id: null,
      created_at: now,
      updated_at: now,
      archived_at: null,
    });
    if (this.#threads.length > THREADS_MAX) this.#threads.splice(1, 1);
    return id;
  }
}

function readEvent(event: unknown) {
  const type = property(event, 'type');
  if (typeof type !== 'string' || !CALLER_TYPES.includes(type)) {
    throw new InvalidRequest(`events: type must be one of ${CALLER_TYPES.join(', ')}`);
  }
  const text = readText(property(event, 'content'));
  const { id: _, processed_at: __, ...rest } = Object(event) as Record<string, unknown>;
  return { event: { ...rest, type }, text, directives: readDirectives(text) };
}
