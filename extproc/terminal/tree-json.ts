import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument, JsonValue } from '../transcript/document.ts';
import type { AgentNode, PromptNode } from './session-tree.ts';

/** A session's tree for programs: the ids and what tells exchanges apart, not their documents. */
export function treeJson(prompts: readonly PromptNode[]): JsonValue {
  return { prompts: prompts.map(({ id, main }) => ({ id, main: agentJson(main) })) };
}

function agentJson({ id, name, exchanges, agents }: AgentNode): JsonValue {
  return {
    id,
    name,
    exchanges: exchanges.map(({ document, batch }) => ({ ...exchangeJson(document), batch: batch.map(exchangeJson) })),
    agents: agents.map(agentJson),
  };
}

function exchangeJson({ event, gen_ai: genAi, skilltape, ...document }: Masked<ExchangeDocument>): {
  [key: string]: JsonValue;
} {
  return {
    id: event.id,
    time: document['@timestamp'],
    action: event.action,
    request_class: skilltape.agent.request_class,
    model: genAi.response.model || genAi.request.model,
    outcome: skilltape.outcome,
    noise: skilltape.noise,
  };
}
