import { sanitiseLine } from './sanitise.ts';
import type { AgentNode, ExchangeNode, PromptNode } from './session-tree.ts';
import { type Style, styleFor } from './style.ts';
import type { TerminalOptions } from './transcript.ts';
import { cutLine } from './wrap.ts';

/** Documents of a batch that are listed under their exchange; the count of the rest is told. */
const batchShownMax = 20;

/** One line for each prompt, agent and exchange of a session; ends with a newline. */
export function renderTree(session: string, prompts: readonly PromptNode[], options: TerminalOptions): string {
  const lines = new TreeLines(options);
  lines.add(0, `session ${session}`, 'bold');
  for (const { id, main } of prompts) {
    lines.add(1, id === null ? 'no prompt named' : `prompt ${id}`, 'bold');
    addAgent(lines, 2, main);
  }
  return lines.text();
}

class TreeLines {
  readonly #lines: string[] = [];
  readonly #style: Style;
  readonly #width: number;

  constructor({ color, width }: TerminalOptions) {
    this.#style = styleFor(color);
    this.#width = width;
  }

  /** Ids and names are hostile: the line is made safe and cut, so that none can begin a line of its own. */
  add(depth: number, text: string, look: 'bold' | 'dim' | 'plain' = 'plain'): void {
    const line = cutLine('  '.repeat(depth) + sanitiseLine(text), this.#width);
    this.#lines.push(look === 'plain' ? line : this.#style[look](line));
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function addAgent(lines: TreeLines, depth: number, { id, name, exchanges, agents }: AgentNode): void {
  const called = name === null || name === '' ? '' : ` (${name})`;
  lines.add(depth, id === null ? 'main agent' : `agent ${id}${called}`, 'dim');
  for (const exchange of exchanges) addExchange(lines, depth + 1, exchange);
  for (const agent of agents) addAgent(lines, depth + 1, agent);
}

function addExchange(lines: TreeLines, depth: number, { document, batch }: ExchangeNode): void {
  const { event, gen_ai: genAi, skilltape } = document;
  const { input_tokens: input, output_tokens: output } = genAi.usage;
  const facts = [
    event.id,
    document['@timestamp'],
    skilltape.agent.request_class,
    genAi.response.model || genAi.request.model,
    skilltape.noise,
    skilltape.batch?.custom_id,
    skilltape.outcome,
    input === null && output === null ? null : `${(input ?? 0) + (output ?? 0)} tokens`,
  ];
  lines.add(depth, facts.filter(Boolean).join('  '));
  for (const child of batch.slice(0, batchShownMax)) addExchange(lines, depth + 1, { document: child, batch: [] });
  if (batch.length > batchShownMax) lines.add(depth + 1, `and ${batch.length - batchShownMax} more`, 'dim');
}
