import { usageOf } from '../claude/usage.ts';
import type { AccessInput, RecordInput, RequestInput } from '../policy/input.ts';
import { toolsUsed } from './draft.ts';
import { endingOf } from './ending.ts';
import type { Reading } from './reading.ts';
import type { Transcript } from './transcript.ts';

/**
 * The policy input document of `record`: what was judged before, with the answer beside it; null when the exchange was
 * refused before there was anything to judge.
 */
export function recordInputOf(transcript: Transcript, reading: Reading): RecordInput | null {
  const { decided, finished } = transcript;
  if (decided === null) return null;
  const { message } = reading;
  const usage = usageOf(message);
  const empty = { body: { bytes: transcript.requestBody.length, status: 'empty' as const, fault: '' }, claude: null };
  return {
    ...empty,
    // An input of stage `access` has no body facts yet; the ones of `request` replace the empty ones.
    ...(decided.input as AccessInput & Partial<RequestInput>),
    answer: {
      outcome: endingOf(transcript, reading).outcome,
      status: finished.status,
      stop_reason: typeof message?.stop_reason === 'string' ? message.stop_reason : '',
      model: typeof message?.model === 'string' ? message.model : '',
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      tool_names: toolsUsed(message),
    },
    verdict: { decision: decided.verdict },
  };
}
