/** Which prompt of a person, and which agent, each exchange of a session served. */
import type { Masked } from '../masking/masked.ts';
import type { ExchangeDocument } from '../transcript/document.ts';

type Document = Masked<ExchangeDocument>;

/** `batch`: the prompts and answers of its batch. */
export type ExchangeNode = { document: Document; batch: Document[] };

/** `id` is null for the main agent. In the order of their first exchanges. */
export type AgentNode = { id: string | null; name: string | null; exchanges: ExchangeNode[]; agents: AgentNode[] };

/** `id` is null for what names no prompt. */
export type PromptNode = { id: string | null; main: AgentNode };

/** A caller can claim an agent under an agent without end; deeper ones stand beside their parents. */
const depthMax = 16;

/**
 * The tree of a session's documents, oldest first. What callers say of their agents is believed for showing alone:
 * an agent whose parent is unknown, is itself or is below it, stands under the main agent.
 */
export function sessionTree(documents: readonly Document[]): PromptNode[] {
  const prompts = new Map<string | null, ExchangeNode[]>();
  for (const exchange of exchangesOf(documents)) {
    const { prompt_id: id } = exchange.document.skilltape.agent;
    const same = prompts.get(id);
    if (same === undefined) prompts.set(id, [exchange]);
    else same.push(exchange);
  }
  return [...prompts].map(([id, exchanges]) => ({ id, main: agentsOf(exchanges) }));
}

/** The exchanges with the documents of their batches, in the order of the batch; others keep their order. */
export function exchangesOf(documents: readonly Document[]): ExchangeNode[] {
  const nodes = new Map<string, ExchangeNode>();
  for (const document of documents) nodes.set(document.event.id, { document, batch: [] });
  for (const [id, { document }] of nodes) {
    const owner = batchPlace(id) === null ? undefined : nodes.get(id.slice(0, id.lastIndexOf('.')));
    if (owner === undefined) continue;
    owner.batch.push(document);
    nodes.delete(id);
  }
  for (const { batch } of nodes.values())
    batch.sort((a, b) => (batchPlace(a.event.id) ?? 0) - (batchPlace(b.event.id) ?? 0));
  return [...nodes.values()];
}

/** The place of a document in its batch, from its id; null for the document of an exchange. */
function batchPlace(id: string): number | null {
  const match = /\.(\d{1,9})$/.exec(id);
  return match?.[1] === undefined ? null : Number(match[1]);
}

function agentsOf(exchanges: readonly ExchangeNode[]): AgentNode {
  const main: AgentNode = { id: null, name: null, exchanges: [], agents: [] };
  const agents = new Map<string, AgentNode>();
  const parents = new Map<string, string>();
  for (const exchange of exchanges) {
    const { gen_ai: genAi, skilltape } = exchange.document;
    const { id, name } = genAi.agent;
    if (id === null) {
      main.exchanges.push(exchange);
      continue;
    }
    const agent = agents.get(id) ?? { id, name, exchanges: [], agents: [] };
    agent.exchanges.push(exchange);
    agents.set(id, agent);
    // The first word counts: a later one must not move what was shown.
    if (!parents.has(id) && skilltape.agent.parent_id !== null) parents.set(id, skilltape.agent.parent_id);
  }
  const places = placesOf([...agents.keys()], parents);
  for (const [id, agent] of agents) {
    const parent = agents.get(places.get(id)?.parent ?? '') ?? main;
    parent.agents.push(agent);
  }
  return main;
}

type Place = { parent: string | null; depth: number };

/** Under whom each agent stands; null for the main agent. Looks at each agent once, whatever parents they name. */
function placesOf(ids: readonly string[], parents: ReadonlyMap<string, string>): Map<string, Place> {
  const known = new Set(ids);
  const places = new Map<string, Place>();
  for (const id of ids) {
    const path = new Set<string>();
    let at: string | undefined = id;
    while (at !== undefined && known.has(at) && !places.has(at) && !path.has(at)) {
      path.add(at);
      at = parents.get(at);
    }
    // Unknown, or a circle: the path hangs from the main agent.
    let above = at !== undefined && places.has(at) ? at : null;
    for (const each of [...path].toReversed()) {
      places.set(each, placeUnder(above, places));
      above = each;
    }
  }
  return places;
}

function placeUnder(above: string | null, places: ReadonlyMap<string, Place>): Place {
  const parent = above === null ? undefined : places.get(above);
  if (parent === undefined) return { parent: null, depth: 1 };
  return parent.depth < depthMax ? { parent: above, depth: parent.depth + 1 } : parent;
}
