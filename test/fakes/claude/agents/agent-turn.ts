/** What a managed agent of the fake does when it is spoken to: the events of its turn. */
import type { AgentTurn } from '../directives.ts';
import type { Json } from '../message.ts';
import { countTokens } from '../messages-request.ts';

export type TurnContext = {
  readonly text: string;
  readonly agentName: string;
  readonly mainThreadId: string;
  /** Appends to a thread, the main one unless another is named, and gives the id of the event. */
  readonly emit: (event: Json & { readonly type: string }, threadId?: string) => string;
  /** Opens a thread of its own and gives its id. */
  readonly openThread: () => string;
  /** The turn goes on when the caller has answered the event of this id. */
  readonly waitFor: (eventId: string) => void;
};

const FILE_TEXT = 'region,revenue\nnorth,1200\n';
const END_TURN = { type: 'end_turn' };

export function runTurn(kind: AgentTurn | 'message', context: TurnContext): void {
  const { emit } = context;
  emit({ type: 'session.status_running' });
  const startId = emit({ type: 'span.model_request_start' });
  emit({ type: 'agent.thinking' });
  const stopReason = act(kind, context);
  emit({
    type: 'span.model_request_end',
    model_request_start_id: startId,
    is_error: kind === 'error',
    model_usage: {
      input_tokens: countTokens(context.text.length),
      output_tokens: 12,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      speed: 'standard',
    },
  });
  if (kind === 'terminate') emit({ type: 'session.status_terminated' });
  else emit({ type: 'session.status_idle', stop_reason: stopReason, stop_details: stopDetails(stopReason) });
}

/** After the caller's own tool result or its word on a tool. */
export function resumeAgent(context: TurnContext): void {
  context.emit({ type: 'session.status_running' });
  say(context, 'Thank you, that is what I needed.');
  context.emit({ type: 'session.status_idle', stop_reason: END_TURN, stop_details: null });
}

function act(kind: AgentTurn | 'message', context: TurnContext): Json {
  const { emit } = context;
  switch (kind) {
    case 'message':
    case 'terminate':
      return say(context, answerTo(context.text));
    case 'tool_use': {
      const input = { command: 'cat revenue.csv' };
      const use = emit({ type: 'agent.tool_use', name: 'bash', input, evaluated_permission: 'allow' });
      emit({ type: 'agent.tool_result', tool_use_id: use, content: [textOf(FILE_TEXT)], is_error: false });
      return say(context, answerTo(context.text));
    }
    case 'mcp_tool_use': {
      const call = { name: 'lookup', mcp_server_name: 'crm', input: { query: context.text } };
      const use = emit({ type: 'agent.mcp_tool_use', ...call, evaluated_permission: 'allow' });
      emit({ type: 'agent.mcp_tool_result', mcp_tool_use_id: use, content: [textOf(FILE_TEXT)], is_error: false });
      return say(context, answerTo(context.text));
    }
    case 'custom_tool_use':
      return askCaller(context, { type: 'agent.custom_tool_use', name: 'lookup', input: { query: context.text } });
    case 'ask': {
      const input = { command: 'rm revenue.csv' };
      return askCaller(context, { type: 'agent.tool_use', name: 'bash', input, evaluated_permission: 'ask' });
    }
    case 'thread':
      delegate(context);
      return say(context, 'My helper has answered.');
    case 'error': {
      const error = { type: 'model_overloaded_error', message: 'Overloaded', retry_status: { type: 'exhausted' } };
      emit({ type: 'session.error', error });
      return { type: 'retries_exhausted' };
    }
    case 'refusal':
      return { type: 'refusal' };
  }
}

function say({ emit }: TurnContext, text: string): Json {
  emit({ type: 'agent.message', content: [textOf(text)] });
  return END_TURN;
}

function askCaller({ emit, waitFor }: TurnContext, event: Json & { readonly type: string }): Json {
  const id = emit(event);
  waitFor(id);
  return { type: 'requires_action', event_ids: [id] };
}

/** Another thread does the work; both threads keep their side of the talk. */
function delegate({ emit, openThread, mainThreadId, text, agentName }: TurnContext): void {
  const threadId = openThread();
  const names = { agent_name: agentName, session_thread_id: threadId };
  const task = [textOf(text)];
  const result = [textOf(answerTo(text))];
  emit({ type: 'session.thread_created', ...names, workflow_run_id: null });
  emit({ type: 'agent.thread_message_sent', to_session_thread_id: threadId, to_agent_name: agentName, content: task });
  const fromMain = { from_session_thread_id: mainThreadId, from_agent_name: agentName };
  emit({ type: 'agent.thread_message_received', ...fromMain, content: task }, threadId);
  emit({ type: 'session.thread_status_running', ...names }, threadId);
  emit({ type: 'agent.message', content: result }, threadId);
  emit({ type: 'session.thread_status_idle', ...names, stop_reason: END_TURN, stop_details: null }, threadId);
  const fromHelper = { from_session_thread_id: threadId, from_agent_name: agentName };
  emit({ type: 'agent.thread_message_received', ...fromHelper, content: result });
}

function stopDetails(stopReason: Json): Json | null {
  if (stopReason.type !== 'refusal') return null;
  return { type: 'refusal', category: 'cyber', explanation: 'The fake was asked to refuse.' };
}

function answerTo(text: string): string {
  return `You wrote: "${text.slice(0, 2_000).toWellFormed()}" I am only a fake agent, but I am glad to help.`;
}

function textOf(text: string): Json {
  return { type: 'text', text };
}
