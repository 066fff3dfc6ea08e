import { lastPromptAt, writeCanonicalSystem, writeCanonicalTurn } from '../claude/history.ts';
import type { JsonObject, JsonValue } from '../claude/json.ts';
import type { MessagesRequest, Turn } from '../claude/request.ts';
import type { KeyedHash } from '../keyed-hash.ts';

/** Whether a turn was indexed before for the same identity and connection. */
export type SeenBefore = (hash: string) => boolean;

/**
 * One prompt: a request for a message, or an entry of a batch. `isUnanswered`: it went to Claude and no whole answer
 * came, so the client may send it again in the same session.
 */
export type Prompt = {
  request: MessagesRequest | null;
  message: JsonObject | null;
  session: string;
  isUnanswered: boolean;
};

/** Which part of a request is new, and the hashes by which a later request finds it as history. */
export type NewTurns = {
  /** Messages before this index were indexed with earlier exchanges. */
  firstNew: number;
  systemIsNew: boolean;
  toolsAreNew: boolean;
  /** Keyed hash of the whole conversation as sent: equal conversations show, their content does not (inv. 6). */
  prefixHash: string;
  hashes: string[];
  /** Of these, the ones that stand for the system prompt and for the tools; empty without a request. */
  systemHash: string;
  toolsHash: string;
};

/**
 * Finds the longest beginning of the conversation that was indexed before for the same identity and connection. The
 * last prompt is always new, with what the caller puts into the answer's mouth behind it, so that a prompt that is sent
 * twice is found twice. Two bring nothing new: a conversation that ends with an answer as we saw it (one that paused),
 * and one that was sent before in the same session and got no whole answer, which clients do by themselves up to ten times.
 * A history that was never seen is new text, whoever claims to have had it.
 */
export function newTurns(prompt: Prompt, keyedHash: KeyedHash, seen: SeenBefore): NewTurns {
  const { request, message, session } = prompt;
  if (request === null) return noTurns;
  const chain = hashChain(request, keyedHash);
  const whole = chain.at(-1) ?? '';
  const retried = keyedHash('unanswered', `${session} ${whole}`);
  const isRetry = seen(retried) && !seen(keyedHash('answered', `${session} ${whole}`));
  const continues = whole !== '' && (seen(keyedHash('answer', whole)) || isRetry);
  let firstNew = continues ? chain.length : lastPromptAt(request.messages);
  while (firstNew > 0 && !seen(chain[firstNew - 1] ?? '')) firstNew -= 1;
  // In the form of a turn: clients move `cache_control` about in the system prompt and among the tools too.
  const systemHash = keyedHash('system', (write) => writeCanonicalSystem(request.system, write));
  const toolsHash = keyedHash('tools', (write) => writeCanonicalTurn({ role: 'tools', content: request.tools }, write));
  const answered = answeredHash(whole, message?.content, keyedHash);
  return {
    firstNew,
    systemIsNew: request.system !== null && !seen(systemHash),
    toolsAreNew: request.tools !== null && !seen(toolsHash),
    prefixHash: whole,
    ...{ systemHash, toolsHash },
    hashes: [
      ...[systemHash, toolsHash, whole],
      ...(answered === null ? [] : [answered, keyedHash('answer', answered)]),
      ...(whole === '' ? [] : [prompt.isUnanswered ? retried : keyedHash('answered', `${session} ${whole}`)]),
    ].filter((hash) => hash !== ''),
  };
}

const noTurns: NewTurns = {
  ...{ firstNew: 0, systemIsNew: false, toolsAreNew: false },
  ...{ prefixHash: '', hashes: [], systemHash: '', toolsHash: '' },
};

/** Item i stands for the first i + 1 messages. */
function hashChain(request: MessagesRequest, keyedHash: KeyedHash): string[] {
  let previous = '';
  return request.messages.map((turn) => {
    previous = followedBy(previous, turn, keyedHash);
    return previous;
  });
}

/** The conversation with its answer: what the next request begins with. */
function answeredHash(whole: string, content: JsonValue | undefined, keyedHash: KeyedHash): string | null {
  if (content === undefined || content === null || whole === '') return null;
  return followedBy(whole, { role: 'assistant', content }, keyedHash);
}

function followedBy(previous: string, turn: Turn, keyedHash: KeyedHash): string {
  return keyedHash('turn', (write) => {
    write(`${previous} `);
    writeCanonicalTurn(turn, write);
  });
}
