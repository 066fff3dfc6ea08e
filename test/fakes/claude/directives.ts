/** Reads directives such as `[fake: gzip]` from the text of a prompt. */
import { isPartName } from './answers/parts.ts';
import type { Behaviour } from './behaviour.ts';

export const BATCH_RESULTS = ['succeeded', 'errored', 'canceled', 'expired'] as const;
export type BatchResult = (typeof BATCH_RESULTS)[number];

export const AGENT_TURNS = [
  'tool_use',
  'custom_tool_use',
  'mcp_tool_use',
  'ask',
  'thread',
  'error',
  'refusal',
  'terminate',
] as const;
export type AgentTurn = (typeof AGENT_TURNS)[number];

export type Directives = Partial<Behaviour> & {
  /** Of the batch's request in whose prompt it stands. */
  readonly batchResult?: BatchResult;
  /** How often the batch is looked at before it has ended. */
  readonly batchPolls?: number;
  /** The results come in the reverse order of the requests. */
  readonly batchReversed?: boolean;
  /** What a managed agent does in answer to this message. */
  readonly agentTurn?: AgentTurn;
};

/** Thrown for a directive that means nothing, so that a misspelt test does not pass by the default answer. */
export class UnknownDirective extends Error {}

const TEXT_MAX_BYTES = 100_000_000;
const PAUSE_MAX_MS = 60_000;
const POLLS_MAX = 1_000;
/** Every part is bounded, so that looking for directives stays linear in the text. */
const DIRECTIVE = /\[fake: ([a-z][a-z0-9_-]{0,40})((?: [A-Za-z0-9_.-]{1,100}){0,12})\]/g;
const STOP_REASONS = [
  ...['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'pause_turn', 'refusal', 'compaction'],
  'model_context_window_exceeded',
];

/** Several may stand together; a later one wins over an earlier one of its kind. Throws {@link UnknownDirective}. */
export function readDirectives(text: string): Directives {
  const found: Directives[] = [];
  for (const [whole, name = '', rest = ''] of text.matchAll(DIRECTIVE)) {
    const words = rest.split(' ').filter((word) => word !== '');
    found.push(readDirective(whole, name, words));
  }
  return Object.assign({}, ...found);
}

function readDirective(whole: string, name: string, words: readonly string[]): Directives {
  const [first = '', second = ''] = words;
  switch (name) {
    case 'tool_use':
      return { answer: first === '' ? { kind: 'tool_use' } : { kind: 'tool_use', toolName: first } };
    case 'answer':
      return readParts(whole, words);
    case 'file':
      return { producedFileBytes: readCount(whole, first, 0, TEXT_MAX_BYTES) };
    case 'stop':
      return { stopReason: oneOf(whole, first, STOP_REASONS) };
    case 'fixture':
      return { answer: { kind: 'fixture', name: first } };
    case 'error':
      return readError(whole, first, second);
    case 'midstream_error':
      return { answer: { kind: 'midstream_error' } };
    case 'large':
      return { answer: { kind: 'large', textBytes: readCount(whole, first, 1, TEXT_MAX_BYTES) } };
    case 'batch':
      return readBatch(whole, first, second);
    case 'agent':
      return { agentTurn: oneOf(whole, first, AGENT_TURNS) };
    default:
      return readDelivery(whole, name, first);
  }
}

/** How the answer is sent. */
function readDelivery(whole: string, name: string, first: string): Directives {
  switch (name) {
    case 'slow':
      return { msPerEvent: readCount(whole, first, 0, PAUSE_MAX_MS) };
    case 'chunk':
      return { bytesPerWrite: readCount(whole, first, 1, TEXT_MAX_BYTES) };
    case 'gzip':
    case 'deflate':
    case 'br':
    case 'zstd':
      return { encoding: name };
    case 'truncate':
    case 'reset':
    case 'hang':
      return { ending: name };
    case 'reset-before-headers':
      return { ending: 'reset_before_headers' };
    case 'headers-then-hang':
      return { ending: 'headers_then_hang' };
    default:
      throw new UnknownDirective(`the fake does not know ${whole}`);
  }
}

/** `[fake: error 429 7]` with seconds to wait, `[fake: error 400 thread_not_found]` with a code for the details. */
function readError(whole: string, digits: string, second: string): Directives {
  const status = readCount(whole, digits, 400, 599);
  if (/^[a-z][a-z_]*$/.test(second)) return { answer: { kind: 'error', status, details: { error_code: second } } };
  const headers = second === '' ? {} : { 'retry-after': String(readCount(whole, second, 0, 86_400)) };
  return { answer: { kind: 'error', status, headers } };
}

function readParts(whole: string, words: readonly string[]): Directives {
  const parts = words.filter(isPartName);
  if (parts.length === 0 || parts.length < words.length) throw new UnknownDirective(`${whole} names no kind of block`);
  return { answer: { kind: 'parts', parts } };
}

function readBatch(whole: string, word: string, digits: string): Directives {
  if (word === 'polls') return { batchPolls: readCount(whole, digits, 0, POLLS_MAX) };
  if (word === 'reversed') return { batchReversed: true };
  return { batchResult: oneOf(whole, word, BATCH_RESULTS) };
}

function oneOf<Word extends string>(whole: string, word: string, known: readonly Word[]): Word {
  const match = known.find((candidate) => candidate === word);
  if (match === undefined) throw new UnknownDirective(`${whole} needs one of ${known.join(', ')}`);
  return match;
}

function readCount(whole: string, digits: string, min: number, max: number): number {
  const value = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UnknownDirective(`${whole} needs a number from ${min} to ${max}`);
  return value;
}
